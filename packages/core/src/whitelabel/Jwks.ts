/**
 * The public keys of a White Label partner, as Zapier fetches them (RFC 7517 section 5).
 *
 * A key is rotated in three steps, each of them as long as caches may hold the set before (`maxAge`), and as a JWT lives:
 *
 * 1. `next`: the new key is published, and signs nothing yet.
 * 2. `current`: the new key signs. The old one is `retiring`, because its JWTs may be under way.
 * 3. The old key is left out.
 *
 * Keys may be private or public. Only public members are published.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as CallerChecks from "../internal/callerChecks.ts"
import type { ZapierAuthError } from "../ZapierAuthError.ts"
import * as PartnerKey from "./PartnerKey.ts"

/**
 * The keys of a partner, by their part in a rotation.
 *
 * @since 0.1.0
 */
export interface Keys {
  /** The next key, which is published before it signs. */
  readonly next?: PartnerKey.PartnerKey | undefined
  /** The key that signs. */
  readonly current: PartnerKey.PartnerKey
  /** The previous keys, whose signatures may still be in use. */
  readonly retiring?: PartnerKey.PartnerKey | ReadonlyArray<PartnerKey.PartnerKey> | undefined
}

/**
 * A set of public keys.
 *
 * @since 0.1.0
 */
export interface JwkSet {
  readonly keys: ReadonlyArray<JsonWebKey & { readonly kid: string; readonly alg: PartnerKey.Algorithm }>
}

const isList = (given: Keys["retiring"]): given is ReadonlyArray<PartnerKey.PartnerKey> => Array.isArray(given)

/**
 * The set of a partner's public keys. Fails with `InvalidConfig` for a key that cannot be used, and for two keys with one
 * `kid`.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (keys: Keys): Effect.fn.Return<JwkSet, ZapierAuthError> {
  if (!CallerChecks.isRecord(keys)) {
    return yield* CallerChecks.invalid("keys", "pass an object with current, and with next and retiring in a rotation")
  }
  const { current, next, retiring = [] } = keys
  const given: ReadonlyArray<readonly [string, PartnerKey.PartnerKey | undefined]> = [
    ["keys.current", current],
    ["keys.next", next],
    ...(isList(retiring) ? retiring : [retiring]).map((key) => ["keys.retiring", key] as const)
  ]
  const published = yield* Effect.forEach(
    given.filter(([setting, key]) => key !== undefined || setting === "keys.current"),
    ([setting, key]) => PartnerKey.publicJwk(setting, key as PartnerKey.PartnerKey)
  )
  if (new Set(published.map(({ kid }) => kid)).size < published.length) {
    return yield* CallerChecks.invalid("keys", "give each key a keyId of its own: by that Zapier finds it")
  }
  return { keys: published }
})

/**
 * Options of the handler.
 *
 * @since 0.1.0
 */
export interface Options {
  /** How long caches may hold the set. Default: 5 minutes. */
  readonly maxAge?: Duration.Input | undefined
}

/**
 * Serves the set, for any framework that speaks `Request` and `Response`: to be mounted at the URL that is registered with
 * Zapier. Fails as `make` does.
 *
 * @example
 * ```ts
 * import * as Jwks from "@zapier-workflow-auth/core/whitelabel/Jwks"
 * import * as Effect from "effect/Effect"
 *
 * const serve = (pem: { readonly current: string; readonly before: string }, request: Request) =>
 *   Effect.map(
 *     Jwks.handler({
 *       current: { key: pem.current, keyId: "2026-07", algorithm: "ES256" },
 *       retiring: { key: pem.before, keyId: "2026-01", algorithm: "ES256" }
 *     }),
 *     (handler) => handler(request)
 *   )
 * ```
 *
 * @since 0.1.0
 */
export const handler = (
  keys: Keys,
  { maxAge = "5 minutes" }: Options = {}
): Effect.Effect<(request: Request) => Response, ZapierAuthError> =>
  Effect.map(make(keys), (set) => {
    const body = JSON.stringify(set)
    const seconds = Math.max(0, Math.floor(Duration.toSeconds(Duration.fromInputUnsafe(maxAge))))
    const headers = {
      // Not application/jwk-set+json, which some who read such sets do not know.
      "content-type": "application/json",
      "cache-control": `public, max-age=${seconds}`,
      "x-content-type-options": "nosniff"
    }
    return ({ method }) => {
      if (method === "GET") return new Response(body, { headers })
      if (method === "HEAD") return new Response(null, { headers })
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } })
    }
  })
