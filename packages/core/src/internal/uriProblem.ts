/** Describes problems with an absolute URI in the configuration. */
import * as TextProblem from "./textProblem.ts"

const isLoopback = (hostname: string) =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)

// An app may use its own scheme (RFC 8252 section 7.1), but none of these.
const takenSchemes = /^(?:about|blob|data|file|ftp|javascript|mailto|vbscript|wss?):$/

const checks: ReadonlyArray<TextProblem.Check> = [
  TextProblem.edges,
  TextProblem.quotes,
  (text) =>
    /^[^?]*[;,|]https?:\/\//i.test(text) ? "it contains more than one URI; give each one separately" : undefined,
  // They would be dropped or encoded on the way, which changes the spelling.
  TextProblem.holds(/[\s\p{Cc}]/u, "a control character"),
  TextProblem.unpaired,
  (text) => (text.includes("#") ? "it has a fragment" : undefined),
  (text) => (URL.canParse(text) ? undefined : "it is not absolute; an example is https://app.example/path"),
  (text) => {
    const { hostname, password, protocol, username } = new URL(text)
    if (takenSchemes.test(protocol)) return "it is not https"
    if (username !== "" || password !== "") return "it has a user name or password"
    return protocol === "http:" && !isLoopback(hostname)
      ? "it must be https; http is allowed only for localhost, 127.0.0.1 and [::1]"
      : undefined
  }
]

/** Checks for an absolute URI without fragment (RFC 6749 section 3.1.2) or password, and `http` only on this machine. */
export const uri = (value: unknown): string | undefined => TextProblem.first(value, ...checks)

const serverChecks: ReadonlyArray<TextProblem.Check> = [
  ...checks,
  (text) => (/^https?:$/.test(new URL(text).protocol) ? undefined : "it is not https")
]

/** Checks the URI of a server that secrets are sent to, like `uri`. */
export const server = (value: unknown): string | undefined => TextProblem.first(value, ...serverChecks)
