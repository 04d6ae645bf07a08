import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Tokens from "../../src/oauth/Tokens.ts"
import * as AppCredential from "../../src/machine/AppCredential.ts"
import * as ConsentAttempt from "../../src/machine/ConsentAttempt.ts"
import * as RecordCodec from "../../src/store/RecordCodec.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import { reveal } from "../utils/Reveal.ts"

// Through JSON, which knows one zero only.
const plain = (record: unknown): unknown => JSON.parse(JSON.stringify(reveal(record)))

const returns = <A>({ decode, encode }: RecordCodec.RecordCodec<A>, record: A) =>
  expect(plain(Option.getOrThrow(decode(encode(record))))).toEqual(plain(record))

const { Absent, ...held } = UserGrant.State.cases
const Grant = Schema.Union(Object.values(held))

describe("RecordCodec", () => {
  it.prop("a grant comes back from its text, with its secrets", { record: Grant }, ({ record }) =>
    returns(RecordCodec.grant, record)
  )

  it.prop("an attempt comes back from its text", { record: ConsentAttempt.Stored }, ({ record }) =>
    returns(RecordCodec.attempt, record)
  )

  it.prop("an app token comes back from its text", { record: AppCredential.State }, ({ record }) =>
    returns(RecordCodec.appCredential, record)
  )

  it.each(["", "null", "{", '{"_tag":"Absent"}', '{"_tag":"Active"}', '{"_tag":"Completed"}'])(
    "the text %j is no record of any kind",
    (text) => {
      expect(RecordCodec.grant.decode(text)).toEqual(Option.none())
      expect(RecordCodec.attempt.decode(text)).toEqual(Option.none())
      expect(RecordCodec.appCredential.decode(text.replace("Absent", "Nothing"))).toEqual(Option.none())
    }
  )

  it("no grant is stored for none", () => {
    expect(Schema.is(Grant)(Absent.make({}))).toBe(false)
    expect(RecordCodec.grant.decode(JSON.stringify(Absent.make({})))).toEqual(Option.none())
  })

  // None of the records has such fields yet: one that gets one must not be unreadable in production alone.
  const Transforming = Schema.Struct({
    patience: Schema.Duration,
    lifetime: Schema.DurationFromMillis,
    date: Schema.Date,
    big: Schema.BigInt,
    maybe: Schema.Option(Schema.String),
    token: Tokens.Secret,
    nested: Schema.Struct({ tokens: Schema.Array(Tokens.Secret), since: Schema.optionalKey(Schema.DateFromString) })
  })

  const isSame = Schema.toEquivalence(Transforming)

  it.prop("preserves transformed values", { drawn: Transforming }, ({ drawn }) => {
    // Not every duration is a number of milliseconds.
    const record = { ...drawn, lifetime: Duration.millis(Math.trunc(Duration.toMillis(drawn.lifetime)) % 1e9 || 0) }
    const { decode, encode } = RecordCodec.make(Transforming)
    expect(isSame(Option.getOrThrow(decode(encode(record))), record)).toBe(true)
  })

  it("writes secrets where they are written on purpose, and nowhere else", () => {
    const Holder = Schema.Struct({ token: Tokens.Secret })
    const record = { token: Tokens.secret("t0ken") }
    const { decode, encode } = RecordCodec.make(Holder)
    expect(encode(record)).toBe('{"token":"t0ken"}')
    expect(reveal(Option.getOrThrow(decode('{"token":"t0ken"}')))).toEqual({ token: { secret: "t0ken" } })
    const elsewhere = Schema.encodeUnknownResult(Schema.toCodecJson(Holder))(record)
    expect(Result.isFailure(elsewhere)).toBe(true)
    expect(inspect(elsewhere, { depth: 9 }) + JSON.stringify(elsewhere)).not.toContain("t0ken")
  })

  it("reads records of earlier versions", () => {
    const text =
      '{"_tag":"Active","family":"f","generation":1,"responseLost":false,"tokens":{"accessToken":"a","scopes":["zap"],"obtainedAt":1,"expiresAt":2,"refreshToken":"r"}}'
    const record = Option.getOrThrow(RecordCodec.grant.decode(text))
    expect(JSON.parse(RecordCodec.grant.encode(record))).toEqual(JSON.parse(text))
  })
})
