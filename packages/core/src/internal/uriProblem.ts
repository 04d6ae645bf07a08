/** What is wrong with an absolute URI of the configuration. */
import * as TextProblem from "./textProblem.ts"

const isLoopback = (hostname: string) =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)

// An app may have a scheme of its own (RFC 8252 section 7.1), which none of these is.
const takenSchemes = /^(?:about|blob|data|file|ftp|javascript|mailto|vbscript|wss?):$/

const checks: ReadonlyArray<TextProblem.Check> = [
  TextProblem.edges,
  TextProblem.quotes,
  (text) => (/^[^?]*[;,|]https?:\/\//i.test(text) ? "it holds more than one URI; give each by itself" : undefined),
  // They would be dropped or encoded on the way, and then it is spelled in another way than it was given.
  TextProblem.holds(/[\s\p{Cc}]/u, "a control character"),
  TextProblem.unpaired,
  (text) => (text.includes("#") ? "it has a fragment" : undefined),
  (text) => (URL.canParse(text) ? undefined : "it is not absolute, as https://app.example/path is"),
  (text) => {
    const { hostname, password, protocol, username } = new URL(text)
    if (takenSchemes.test(protocol)) return "it is not https"
    if (username !== "" || password !== "") return "it has a user name or password"
    return protocol === "http:" && !isLoopback(hostname)
      ? "it is http, which only localhost, 127.0.0.1 and [::1] may be: it has to be https"
      : undefined
  }
]

/** Absolute, without a fragment (RFC 6749 section 3.1.2) or a password, and `http` only on this very machine. */
export const uri = (value: unknown): string | undefined => TextProblem.first(value, ...checks)

const serverChecks: ReadonlyArray<TextProblem.Check> = [
  ...checks,
  (text) => (/^https?:$/.test(new URL(text).protocol) ? undefined : "it is not https")
]

/** As `uri`, of a server that secrets are sent to. */
export const server = (value: unknown): string | undefined => TextProblem.first(value, ...serverChecks)
