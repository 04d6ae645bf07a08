/** Describes a call of the API that got no response. */
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import { TransportFailed } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { HttpClientError } from "effect/http/HttpClientError"

/** `code` is the platform's error code, set if certainly nothing was sent. */
export const of = (error: HttpClientError): { readonly code?: string; readonly message: string } => {
  const outcome = TokenEndpoint.outcomeOfError(error)
  if (outcome._tag !== "NotSent") {
    return { message: "The call got no response, so it is unknown if it was carried out. Check the connection." }
  }
  const { code } = outcome
  const { hint } = new TransportFailed({ code })
  return { code, message: `The call never reached Zapier (${code}). ${hint}; nothing was sent.` }
}
