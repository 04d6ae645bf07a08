/** Tokens that an app has from before it used this library become grants, once. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import * as Adoption from "../src/Adoption.ts"
import { ZapierAuth } from "../src/ZapierAuth.ts"
import * as TestZapier from "./utils/TestZapier.ts"

const { subject } = TestZapier

// In the year 2024, as real rows are.
const now = 1_704_067_200_000
const hour = 3_600_000

const row: Adoption.Row = {
  subject,
  refreshToken: "old-refresh",
  accessToken: "old-access",
  expiresAt: now + 5 * hour,
  scopes: "zap zap:write"
}

const adopt = (row: unknown) => Adoption.adopt(row as Adoption.Row)

const make = () => {
  const zapier = TestZapier.make()
  zapier.state.refreshTokens.add("old-refresh")
  return zapier
}

const settingOf = (options: unknown) =>
  Effect.map(Effect.flip(adopt(options)), ({ reason }) =>
    reason._tag === "InvalidConfig" ? reason.setting : reason._tag
  )

describe("Adoption", () => {
  it.effect("makes a grant, and its access token is used until it expires", () => {
    const zapier = make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const auth = yield* ZapierAuth
      assert.isTrue(yield* adopt(row))
      const { accessToken, scopes } = yield* auth.accessToken(subject)
      assert.strictEqual(Redacted.value(accessToken), "old-access")
      assert.deepStrictEqual(scopes, ["zap", "zap:write"])
      assert.strictEqual(zapier.tokenRequests.length, 0)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each([
    ["no access token", { accessToken: undefined }],
    ["an access token whose end is not known", { expiresAt: null }],
    ["an access token that has expired", { expiresAt: "2023-12-31T23:00:00Z" }]
  ] as const)("refreshes at the first use where there is %s", ([, part]) => {
    const zapier = make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const auth = yield* ZapierAuth
      assert.isTrue(yield* adopt({ ...row, ...part }))
      const { accessToken } = yield* auth.accessToken(subject)
      assert.notInclude(["old-access", "unknown"], Redacted.value(accessToken))
      assert.strictEqual(zapier.tokenRequests.length, 1)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("leaves a grant alone that is there, and says so", () => {
    const zapier = make()
    return Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const auth = yield* ZapierAuth
      assert.isTrue(yield* adopt(row))
      assert.isFalse(yield* adopt({ ...row, accessToken: "newer", refreshToken: Redacted.make("newer") }))
      assert.strictEqual(Redacted.value((yield* auth.accessToken(subject)).accessToken), "old-access")
      yield* auth.disconnect(subject)
      assert.isTrue(yield* adopt(row))
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect("adopts one of several at the same time", () => {
    const zapier = make()
    return Effect.gen(function* () {
      const all = yield* Effect.all(
        Array.from({ length: 10 }, () => adopt(row)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        all.filter((isNew) => isNew),
        [true]
      )
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each([
    [null, "row"],
    [[row], "row"],
    [{ ...row, subject: "" }, "subject"],
    [{ ...row, subject: 7 }, "subject"],
    [{ ...row, refreshToken: undefined }, "refreshToken"],
    [{ ...row, refreshToken: "s3cret\n" }, "refreshToken"],
    [{ ...row, refreshToken: new Uint8Array([1]) }, "refreshToken"],
    [{ ...row, accessToken: " s3cret" }, "accessToken"],
    [{ ...row, accessToken: 5 }, "accessToken"],
    [{ ...row, scopes: undefined }, "scopes"],
    [{ ...row, scopes: [] }, "scopes"],
    [{ ...row, scopes: " " }, "scopes"],
    [{ ...row, expiresAt: "soon" }, "expiresAt"],
    [{ ...row, expiresAt: Number.NaN }, "expiresAt"],
    [{ ...row, expiresAt: now / 1000 }, "expiresAt"],
    [{ ...row, expiresAt: {} }, "expiresAt"]
  ] as const)("rejects unusable input, and names it: %o", ([options, setting]) => {
    const zapier = make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      assert.strictEqual(yield* settingOf(options), setting)
      assert.strictEqual((yield* auth.status(subject))._tag, "Absent")
      const { message } = yield* Effect.flip(adopt(options))
      assert.notInclude(message, "s3cret")
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each(["2024-01-01T05:00:00.000Z", DateTime.toDate(DateTime.makeUnsafe(now + 5 * hour)), now + 5 * hour])(
    "takes the end of an access token as %o",
    (expiresAt) => {
      const zapier = make()
      return Effect.gen(function* () {
        yield* adopt({ ...row, expiresAt })
        const status = yield* ZapierAuth.use((auth) => auth.status(subject))
        assert.strictEqual("expiresAt" in status && status.expiresAt, now + 5 * hour)
      }).pipe(Effect.provide(zapier.layer()))
    }
  )
})
