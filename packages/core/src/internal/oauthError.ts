/**
 * The error codes of OAuth. A code from outside is repeated only if it is one of these, so that no other text from a
 * redirect or response gets into messages and logs.
 *
 * Sources: RFC 6749 sections 4.1.2.1 and 5.2; OpenID Connect Core section 3.1.2.6.
 */

const known = new Set([
  "access_denied",
  "invalid_client",
  "invalid_grant",
  "invalid_request",
  "invalid_scope",
  "server_error",
  "temporarily_unavailable",
  "unauthorized_client",
  "unsupported_grant_type",
  "unsupported_response_type",
  "account_selection_required",
  "consent_required",
  "interaction_required",
  "login_required"
])

/** Stands for an unknown code. */
export const other = "an error code that OAuth does not define"

/** Returns the code if OAuth defines it, and `other` if not. */
export const sanitize = (code: string): string => (known.has(code) ? code : other)
