/** What is known of a call of the API that was not answered, in words. */
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import { TransportFailed } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { HttpClientError } from "effect/http/HttpClientError"

/** `code` is the platform's, where it is certain that nothing was sent. */
export const of = (error: HttpClientError): { readonly code?: string; readonly message: string } => {
  const outcome = TokenEndpoint.outcomeOfError(error)
  if (outcome._tag !== "NotSent") {
    return { message: "The call was not answered. Check the connection; whether it was carried out is not known." }
  }
  const { code } = outcome
  const { hint } = new TransportFailed({ code })
  return { code, message: `The call never reached Zapier (${code}). ${hint}; nothing was sent.` }
}
