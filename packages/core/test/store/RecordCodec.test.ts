import { describe, expect, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
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
})
