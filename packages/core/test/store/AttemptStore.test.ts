import { describe, expect, it } from "@effect/vitest"
import * as AttemptStoreLaws from "@zapier-workflow-auth/testing/AttemptStoreLaws"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as AttemptStore from "../../src/store/AttemptStore.ts"
import type * as ConsentAttempt from "../../src/machine/ConsentAttempt.ts"

const minute = 60_000
const quarter = 15 * minute
const hour = 60 * minute

const attempt = (stateDigest: string, expiresAt: number): ConsentAttempt.Stored => ({
  _tag: "Pending",
  stateDigest,
  subject: "user-1",
  redirectUri: "https://app.example/callback",
  scopes: ["zap"],
  startedAt: 0,
  expiresAt
})

describe("AttemptStore.layerMemory", () => {
  for (const { check, name } of AttemptStoreLaws.all) it.effect(name, () => check(AttemptStore.layerMemory))
})

describe("AttemptStore.layerMemory: forgetting", () => {
  const begin = Effect.fnUntraced(function* (stateDigest: string, expiresAt: number) {
    const store = yield* AttemptStore.AttemptStore
    expect(yield* store.compareAndSet(stateDigest, Option.none(), attempt(stateDigest, expiresAt))).toBe(true)
  })

  const isThere = (stateDigest: string) =>
    Effect.flatMap(AttemptStore.AttemptStore, (store) => Effect.map(store.get(stateDigest), Option.isSome))

  it.effect("an attempt stays until it expires, despite other writes", () =>
    Effect.gen(function* () {
      yield* begin("first", quarter)
      for (let elapsed = 1; elapsed < 15; elapsed++) {
        yield* TestClock.adjust(minute)
        yield* begin(`other-${elapsed}`, 10 * quarter)
        expect(yield* isThere("first")).toBe(true)
      }
      yield* TestClock.setTime(quarter - 1)
      yield* begin("last", 10 * quarter)
      expect(yield* isThere("first")).toBe(true)
    }).pipe(Effect.provide(AttemptStore.layerMemory))
  )

  it.effect("an hour after it has expired it is forgotten when the next is written, and the others are kept", () =>
    Effect.gen(function* () {
      yield* begin("expired", quarter)
      yield* begin("in time", quarter + hour + 1)
      yield* TestClock.setTime(quarter + hour)
      yield* begin("next", 2 * hour)
      expect(yield* isThere("expired")).toBe(false)
      expect(yield* isThere("in time")).toBe(true)
      expect(yield* isThere("next")).toBe(true)
    }).pipe(Effect.provide(AttemptStore.layerMemory))
  )

  it.effect("while attempts are begun they do not pile up", () =>
    Effect.gen(function* () {
      const pace = 7_000
      const begun: Array<[stateDigest: string, expiresAt: number]> = []
      for (let now = 0; now < 2 * hour; now += pace) {
        yield* TestClock.setTime(now)
        const stateDigest = `attempt-${now}`
        yield* begin(stateDigest, now + quarter)
        begun.push([stateDigest, now + quarter])
      }
      const now = 2 * hour - pace
      const kept = yield* Effect.filter(begun, ([stateDigest]) => isThere(stateDigest))
      expect(kept.filter(([, expiresAt]) => expiresAt + hour + minute + pace <= now)).toEqual([])
      expect(begun.filter(([, expiresAt]) => now < expiresAt).every((entry) => kept.includes(entry))).toBe(true)
    }).pipe(Effect.provide(AttemptStore.layerMemory))
  )

  it.effect("a digest that was forgotten may be used again", () =>
    Effect.gen(function* () {
      yield* begin("digest", quarter)
      yield* TestClock.setTime(quarter + hour)
      yield* begin("digest", 2 * hour)
    }).pipe(Effect.provide(AttemptStore.layerMemory))
  )

  it.effect("an expired attempt stays for an hour, so that a late user gets the reason", () =>
    Effect.gen(function* () {
      yield* begin("expired", quarter)
      yield* TestClock.setTime(quarter + hour - 1)
      yield* begin("next", 2 * hour)
      expect(yield* isThere("expired")).toBe(true)
    }).pipe(Effect.provide(AttemptStore.layerMemory))
  )
})
