/** Describes problems with the parts of a client application, without showing them. */
import * as Redacted from "effect/Redacted"
import * as TextProblem from "./textProblem.ts"
import * as UriProblem from "./uriProblem.ts"

const placeholder =
  /^(?:<.*>|\$\w*(?:zapier|client|secret)\w*|\$\{.*\}|process\.env\..*|\{\{.*\}\}|\[object .*\]|undefined|null|nan|xxx+|todo|change[-_ ]?me|your[-_ ].*(?:id|secret))$/i

// VSCHAR. The RFC allows white space at the ends, but it is there by a copying mistake.
const printable = (appendix: string): ReadonlyArray<TextProblem.Check> => [
  TextProblem.edges,
  TextProblem.quotes,
  TextProblem.holds(/[^\x20-\x7E]/, `a character that RFC 6749 (appendix ${appendix}) does not allow`),
  (text) => (placeholder.test(text) ? "it looks like a placeholder" : undefined)
]

const idChecks = printable("A.1")
const secretChecks = printable("A.2")

/** Checks a client id: VSCHAR (RFC 6749 appendix A.1). */
export const clientId = (value: unknown) => TextProblem.first(value, ...idChecks)

/** Checks a client secret, plain or redacted (RFC 6749 appendix A.2). */
export const clientSecret = (value: unknown) =>
  TextProblem.first(Redacted.isRedacted(value) ? Redacted.value(value) : value, ...secretChecks)

/** Checks a list of redirect URIs. */
export const redirectUris = (value: unknown): string | undefined => {
  if (value === undefined || value === null) return "it is missing"
  if (!Array.isArray(value)) return "it is not a list"
  if (value.length === 0) return "it is an empty list"
  const problems = value.map(UriProblem.uri)
  const at = problems.findIndex((problem) => problem !== undefined)
  if (at === -1) return undefined
  return value.length === 1 ? problems[at] : `number ${at + 1} of ${value.length}: ${problems[at]}`
}
