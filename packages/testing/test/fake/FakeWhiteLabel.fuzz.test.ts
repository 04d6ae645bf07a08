/** Arbitrary token exchanges: what the fake takes is what `jose`, an implementation of others, takes. */
import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Jose from "jose"
import * as FakeArbitraries from "../../src/fake/FakeArbitraries.ts"
import * as Draw from "../../src/internal/draw.ts"
import * as Partner from "../utils/partner.ts"
import * as PartnerFake from "../utils/partnerFake.ts"

const { make, start } = PartnerFake

// How far to look is decided before there are any Effects. @effect-diagnostics processEnv:skip-file
const { FUZZ_EXCHANGES, FUZZ_SEED } = process.env

const runs = Number(FUZZ_EXCHANGES ?? 300)

const sample = <A>(arbitrary: Arbitrary.Arbitrary<A>) =>
  Arbitrary.sampleEffect(arbitrary, { count: runs, seed: FUZZ_SEED ?? 1 })

const odd = Draw.oneOf<unknown>([undefined, null, "", "x", 0, -1, 1e308, true, [], {}, ["connect.zapier.com"]])

const seconds = Draw.oneOf([start - 301, start - 300, start - 1, start, start + 1, start + 300, start + 301])

// Most claims are right, so that some JWTs are.
const seldom = <A>(arbitrary: Arbitrary.Arbitrary<A>) =>
  Arbitrary.map(Arbitrary.all([Draw.int(0, 11), arbitrary]), ([roll, drawn]) => (roll === 0 ? { drawn } : undefined))

const changes = Arbitrary.map(
  Arbitrary.all({
    sub: seldom(odd),
    org_id: seldom(odd),
    iss: seldom(odd),
    aud: seldom(odd),
    jti: seldom(odd),
    iat: seldom(Draw.choose([seconds, odd])),
    nbf: seldom(Draw.choose([seconds, odd])),
    exp: seldom(Draw.choose([seconds, odd]))
  }),
  (drawn) => Object.fromEntries(Object.entries(drawn).flatMap(([name, one]) => (one ? [[name, one.drawn]] : [])))
)

const header = Arbitrary.map(
  Arbitrary.all({ kid: seldom(odd), typ: seldom(Draw.oneOf(["jwt", "application/jwt", "at+jwt", "", 7])) }),
  ({ kid, typ }) => ({ ...(kid && { kid: kid.drawn }), ...(typ && { typ: typ.drawn }) })
)

type Mangle = (jwt: string) => string

const flipped =
  (at: number): Mangle =>
  (jwt) => {
    const index = at % jwt.length
    return `${jwt.slice(0, index)}${jwt[index] === "A" ? "B" : "A"}${jwt.slice(index + 1)}`
  }

const mangle = Arbitrary.map(Arbitrary.all({ kind: Draw.int(0, 11), at: Draw.int(0, 999) }), ({ at, kind }): Mangle => {
  if (kind === 0) return flipped(at)
  if (kind === 1) return (jwt) => jwt.slice(0, at)
  return (jwt) => jwt
})

// The library checks the signature and most claims. The rest is a few words.
const isGood = (jwt: string, { jwk }: Partner.Key): Promise<boolean> =>
  Jose.jwtVerify(jwt, Jose.createLocalJWKSet({ keys: [{ ...jwk }] }), {
    algorithms: ["ES256"],
    audience: Partner.audience,
    issuer: Partner.issuer,
    requiredClaims: ["sub", "org_id", "iss", "aud", "iat", "nbf", "exp"],
    maxTokenAge: 300,
    // What `jose` takes. @effect-diagnostics-next-line globalDate:off
    currentDate: new Date(start * 1_000)
  }).then(
    ({ payload: { aud, exp = 0, iat = 0, jti, org_id, sub }, protectedHeader: { kid, typ } }) =>
      [sub, org_id].every((id) => typeof id === "string" && id !== "") &&
      typeof aud === "string" &&
      (jti === undefined || typeof jti === "string") &&
      exp <= iat + 300 &&
      kid === "current" &&
      (typ === undefined || /^(application\/)?jwt$/i.test(typ)),
    () => false
  )

describe("arbitrary exchanges", () => {
  it.effect("of a JWT succeed if it is good, and only then", () =>
    Effect.gen(function* () {
      const counts = { good: 0, bad: 0 }
      const drawn = Arbitrary.all({ changes, header, mangle })
      const fake = yield* make({ settings: { allowsJwtReplay: true } })
      for (const { changes, header, mangle } of yield* sample(drawn)) {
        const jwt = mangle(yield* fake.jwt(changes, header))
        const isTaken = yield* Effect.promise(() => isGood(jwt, fake.key))
        const { json, status } = yield* fake.exchange(jwt)
        const what = JSON.stringify({ changes, header, jwt, json })
        expect([status, what]).toStrictEqual([isTaken ? 200 : 400, what])
        if (!isTaken) expect([json.error, what]).toStrictEqual(["invalid_request", what])
        counts[isTaken ? "good" : "bad"]++
      }
      // A run in which only one of both came about would show nothing.
      expect(Math.min(counts.good, counts.bad)).toBeGreaterThan(runs / 10)
    })
  )

  it.effect("of any form get an OAuth error or tokens", () =>
    Effect.gen(function* () {
      const fake = yield* make({ settings: { allowsJwtReplay: true, exchangeEndsAccessToken: false } })
      const access = yield* fake.accessToken()
      const tokens = [access, yield* fake.jwt(), yield* fake.connectToken(access)]
      const statuses = new Set<number>()
      const errors = new Set<string>()
      const drawn = FakeArbitraries.request({ ...Partner.app, redirectUri: Partner.app.redirectUris[0], tokens })
      for (const request of yield* sample(drawn)) {
        const { body, status } = yield* fake.send(request)
        expect([status < 500, request]).toStrictEqual([true, request])
        if (request.path !== "/oauth/token/") continue
        const { access_token, error } = JSON.parse(body)
        expect([typeof (access_token ?? error), request]).toStrictEqual(["string", request])
        statuses.add(status)
        errors.add(error)
      }
      expect([...statuses]).toStrictEqual(expect.arrayContaining([400, 401]))
      expect(errors.size).toBeGreaterThan(3)
    })
  )

  it.effect("of an access token succeed with what is documented, and only then", () =>
    Effect.gen(function* () {
      const fake = yield* make()
      const access = yield* fake.accessToken()
      const right = Partner.connectFields(access, PartnerFake.connectPage)
      const values = Draw.oneOf([
        ...Object.values(right),
        Partner.types.jwt,
        "",
        "zap",
        "to/slack",
        `${access}x`,
        "\u{1f511}"
      ])
      const names = Draw.oneOf(Object.keys(right))
      const counts = { good: 0, bad: 0 }
      for (const [name, value, roll] of yield* sample(Arbitrary.all([names, values, Draw.int(0, 3)]))) {
        const fields = roll === 0 ? right : { ...right, [name]: value }
        const isRight = Object.entries(right).every(([name, value]) => fields[name as keyof typeof fields] === value)
        const { json, status } = yield* fake.token(fields)
        expect([status, fields]).toStrictEqual([isRight ? 200 : 400, fields])
        expect(typeof (isRight ? json.access_token : json.error)).toBe("string")
        counts[isRight ? "good" : "bad"]++
      }
      expect(Math.min(counts.good, counts.bad)).toBeGreaterThan(runs / 10)
    })
  )
})
