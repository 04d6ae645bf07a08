/**
 * The scopes of the Zapier Workflow API.
 *
 * A scope is any RFC 6749 scope token: Zapier adds new ones over time, so a scope that this version does not know is
 * kept as it is and never breaks decoding. The names that are known complete in an editor.
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
 * A scope: any text without white space. What servers grant is taken as it is; what is asked for must be a scope token
 * (`isToken`).
 *
 * @since 0.1.0
 */
export const Scope: Schema.Codec<Scope, string> = /* @__PURE__ */ Schema.String.check(
  /* @__PURE__ */ Schema.isPattern(/^\S+$/, { expected: "a scope, without white space" })
)

/**
 * Whether a text is a scope token as RFC 6749 section 3.3 spells it: printable ASCII without space, `"` and `\`.
 *
 * @internal
 */
export const isToken = (text: string): boolean => /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(text)

/**
 * Whether a scope may be asked for: a scope token without a comma, which separates scopes in some responses.
 *
 * @since 0.1.0
 */
export const isAskable = (text: string): boolean => isToken(text) && !text.includes(",")

/**
 * Reads a space separated list. Repeated scopes are kept once, in the order of their first appearance. Never fails:
 * what a server grants is what it says.
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

// Some servers separate scopes by other characters, or write a list as text. What falls into known scopes at characters that
// none of them has is split there.
const split = (part: Scope): ReadonlyArray<Scope> => {
  const pieces = part.split(/[^a-z:]+/).filter((piece) => piece !== "")
  return pieces.length > 0 && pieces.every((piece) => isKnown.has(piece)) ? pieces : [part]
}

/**
 * Reads what a token response says as its `scope`: text, in which commas separate scopes as well, or a list of texts. No
 * scope of Zapier has a comma. Known scopes may be separated by anything that is in none of them. Anything else grants none.
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
 * Writes a space separated list, as the `scope` parameter takes it.
 *
 * @since 0.1.0
 */
export const format = (scopes: Iterable<Scope>): string => [...scopes].join(" ")

// "zap:account:all" reads whatever "zap:all" reads, and "zap:all" whatever "zap" reads.
const widerThan: ReadonlyMap<Scope, ReadonlyArray<Scope>> = new Map([
  ["zap", ["zap:all", "zap:account:all"]],
  ["zap:all", ["zap:account:all"]]
])

/**
 * Whether the granted scopes allow what `required` allows, itself or through a wider scope.
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
