/**
 * JWTs of White Label partners: parses them and checks their claims (RFC 7515, RFC 7519). Errors name the claim and
 * never show its value.
 */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Result from "effect/Result"
import type * as FakeState from "../../FakeState.ts"
import type { Jwk, Registration } from "../../FakeWhiteLabel.ts"
import * as Parse from "../parse.ts"

type Members = { readonly [name: string]: unknown }

/** The curve of an algorithm's keys, or undefined for RSA. No other algorithms are documented. */
const curves = new Map([
  ["RS256", undefined],
  ["RS384", undefined],
  ["RS512", undefined],
  ["ES256", "P-256"],
  ["ES384", "P-384"],
  ["ES512", "P-521"]
])

export interface Jwt {
  readonly algorithm: string
  readonly kid: string
  readonly claims: Members
  /** Its `jti`, if it has one, to detect a replay. */
  readonly id: string | undefined
}

const members = (part: string): Members | undefined => {
  const json = Parse.jsonText(Result.getOrElse(Base64Url.decodeString(part), () => ""))
  return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as Members) : undefined
}

/** The contents of a JWT, not verified yet. */
export const parts = (text: string): { readonly header: Members; readonly claims: Members } | undefined => {
  const [header, claims, signature, ...more] = text.split(".").map((part, index) => (index < 2 ? members(part) : part))
  return typeof header === "object" && typeof claims === "object" && signature !== undefined && more.length === 0
    ? { header, claims }
    : undefined
}

type Checked<A> = Result.Result<A, string>

/** Parses a JWT, whose header has to name an algorithm and a key. */
export const parse = (text: string): Checked<Jwt> => {
  const found = parts(text)
  if (found === undefined) return Result.fail("The subject_token is not a signed JWT.")
  const { claims, header } = found
  const { alg, crit, kid, typ } = header
  if (typeof alg !== "string" || !curves.has(alg)) {
    return Result.fail(`The alg of the JWT has to be one of ${[...curves.keys()].join(", ")}.`)
  }
  if (crit !== undefined) return Result.fail("The JWT has a crit header, of which no extension is known.")
  if (typ !== undefined && (typeof typ !== "string" || !/^(?:application\/)?jwt$/i.test(typ))) {
    return Result.fail("The typ of the JWT has to be JWT.")
  }
  if (typeof kid !== "string" || kid === "") return Result.fail("The JWT lacks the kid header.")
  const { jti } = claims
  if (jti !== undefined && typeof jti !== "string") return Result.fail("The claim jti of the JWT has to be a text.")
  return Result.succeed({ algorithm: alg, kid, claims, id: jti })
}

/** True if a key fits an algorithm. */
export const isFor = (key: Jwk, algorithm: string): boolean => {
  const curve = curves.get(algorithm)
  return (
    key.kty === (curve === undefined ? "RSA" : "EC") &&
    (curve === undefined || key["crv"] === curve) &&
    (key["alg"] ?? algorithm) === algorithm &&
    (key["use"] ?? "sig") === "sig"
  )
}

/** Zapier's name in `aud`. */
const audience = "connect.zapier.com"

export interface Subject {
  readonly user: string
  readonly tenant: string
  /** When the JWT expires, in milliseconds since the epoch. */
  readonly expiresAt: number
}

const text = (claims: Members, name: string): Checked<string> => {
  const value = claims[name]
  if (value === undefined) return Result.fail(`The JWT lacks the claim ${name}.`)
  return typeof value === "string" && value !== ""
    ? Result.succeed(value)
    : Result.fail(`The claim ${name} of the JWT has to be a text.`)
}

const seconds = (claims: Members, name: string): Checked<number> => {
  const value = claims[name]
  if (value === undefined) return Result.fail(`The JWT lacks the claim ${name}.`)
  return typeof value === "number" && Number.isFinite(value)
    ? Result.succeed(value)
    : Result.fail(`The claim ${name} of the JWT has to be a number of seconds since 1970.`)
}

/** Checks all claims, each of which is required. */
export const check = (
  { claims }: Jwt,
  { issuer, tenantClaim, userClaim }: Registration,
  { jwtClockSkew, jwtLifetime }: FakeState.Settings,
  now: number
): Checked<Subject> =>
  Result.gen(function* () {
    const time = now / 1000
    if ((yield* text(claims, "iss")) !== issuer) {
      return yield* Result.fail("The claim iss of the JWT is not the issuer that is registered.")
    }
    if ((yield* text(claims, "aud")) !== audience) {
      return yield* Result.fail(`The claim aud of the JWT has to be ${audience}.`)
    }
    const user = yield* text(claims, userClaim)
    const tenant = yield* text(claims, tenantClaim)
    const issuedAt = yield* seconds(claims, "iat")
    const notBefore = yield* seconds(claims, "nbf")
    const expiresAt = yield* seconds(claims, "exp")
    if (issuedAt > time + jwtClockSkew) return yield* Result.fail("The claim iat of the JWT lies in the future.")
    if (notBefore > time + jwtClockSkew) return yield* Result.fail("The claim nbf of the JWT lies in the future.")
    if (expiresAt <= time - jwtClockSkew) return yield* Result.fail("The JWT has expired: see its claim exp.")
    if (expiresAt > issuedAt + jwtLifetime) {
      return yield* Result.fail(`The claim exp of the JWT is more than ${jwtLifetime} seconds after its claim iat.`)
    }
    return { user, tenant, expiresAt: (expiresAt + jwtClockSkew) * 1000 }
  })
