/**
 * The scopes of the Zapier Workflow API.
 *
 * A scope is any RFC 6749 scope token. Zapier adds scopes over time, so unknown ones are kept as they are and never break
 * decoding. Editors complete the known names.
 *
 * Sources: RFC 6749 section 3.3; Zapier's "Authentication" and "API reference" pages of the Workflow API.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The scopes that Zapier documents.
 *
 * @since 0.1.0
 */
export const known = [
  "profile",
  "zap",
  "zap:write",
  "zap:update",
  "zap:delete",
  "zap:pause",
  "zap:all",
  "zap:account:all",
  "zap:runs",
  "action:run",
  "authentication",
  "authentication:write",
  "connection:webhook:read",
  "connection:webhook:write",
  "connection:read",
  "connection:write",
  "promotions:read",
  "promotions:write",
  "external",
  "mcp:run"
] as const

const isKnown: ReadonlySet<string> = new Set(known)

/**
 * One scope: a documented one, or any other scope token.
 *
 * @since 0.1.0
 */
export type Scope = (typeof known)[number] | (string & {})

/**
 * A scope: any text without white space. Granted scopes are taken as they are; requested ones must be a scope token
 * (`isToken`).
 *
 * @since 0.1.0
 */
export const Scope: Schema.Codec<Scope, string> = /* @__PURE__ */ Schema.String.check(
  /* @__PURE__ */ Schema.isPattern(/^\S+$/, { expected: "a scope, without white space" })
)

/**
 * True for a scope token of RFC 6749 section 3.3: printable ASCII without space, `"` and `\`.
 *
 * @internal
 */
export const isToken = (text: string): boolean => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(text)

/**
 * True if a scope may be requested: a scope token without a comma, which separates scopes in some responses.
 *
 * @since 0.1.0
 */
export const isAskable = (text: string): boolean => isToken(text) && !text.includes(",")

/**
 * Splits a list at white space, without duplicates, in order of first appearance. Never fails, so that any granted scope is
 * kept.
 *
 * @example
 * ```ts
 * import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
 *
 * Scopes.parse("zap zap:write  zap") // => ["zap", "zap:write"]
 * ```
 *
 * @since 0.1.0
 */
export const parse = (text: string): ReadonlyArray<Scope> => [...new Set(text.split(/\s+/).filter((s) => s !== ""))]

// Some servers use other separators, or write a list as text. Split a part at characters that occur in no known scope, if
// all pieces are known.
const split = (part: Scope): ReadonlyArray<Scope> => {
  const pieces = part.split(/[^a-z:]+/).filter((piece) => piece !== "")
  return pieces.length > 0 && pieces.every((piece) => isKnown.has(piece)) ? pieces : [part]
}

/**
 * Reads the `scope` of a token response: text or a list of texts, separated by white space or commas.
 *
 * No scope of Zapier has a comma. Known scopes may be separated by any character that none of them contains. Other values
 * grant no scope.
 *
 * @example
 * ```ts
 * import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
 *
 * Scopes.parseGranted("zap,zap:write") // => ["zap", "zap:write"]
 * Scopes.parseGranted('["zap", "zap:write"]') // => ["zap", "zap:write"]
 * Scopes.parseGranted(["zap", "zap:write profile", 5]) // => ["zap", "zap:write", "profile"]
 * Scopes.parseGranted({ zap: true }) // => []
 * ```
 *
 * @since 0.1.0
 */
export const parseGranted = (scope: unknown): ReadonlyArray<Scope> => {
  const texts = (Array.isArray(scope) ? scope : [scope]).filter((part) => typeof part === "string")
  return [...new Set(parse(texts.join(" ").replaceAll(",", " ")).flatMap(split))]
}

/**
 * Formats scopes as the space-separated `scope` parameter.
 *
 * @since 0.1.0
 */
export const format = (scopes: Iterable<Scope>): string => [...scopes].join(" ")

// "zap:all" reads everything "zap" reads, and "zap:account:all" everything "zap:all" reads.
const widerThan: ReadonlyMap<Scope, ReadonlyArray<Scope>> = new Map([
  ["zap", ["zap:all", "zap:account:all"]],
  ["zap:all", ["zap:account:all"]]
])

/**
 * True if the granted scopes include `required` or a wider scope.
 *
 * @example
 * ```ts
 * import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
 *
 * Scopes.allows(["zap:all"], "zap") // => true
 * Scopes.allows(["zap"], "zap:write") // => false
 * ```
 *
 * @since 0.1.0
 */
export const allows = (granted: ReadonlyArray<Scope>, required: Scope): boolean =>
  granted.includes(required) || (widerThan.get(required)?.some((wider) => granted.includes(wider)) ?? false)
