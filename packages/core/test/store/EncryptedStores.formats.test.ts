/** Records as a release before has written them: each secret encrypted by itself, and no seal. */
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as EncryptedStores from "../../src/store/EncryptedStores.ts"
import { KeyRing } from "../../src/store/KeyRing.ts"
import * as RecordCodec from "../../src/store/RecordCodec.ts"
import type { VersionedStore } from "../../src/store/VersionedStore.ts"
import { reveal } from "../utils/Reveal.ts"
import { grant, key, memory, open, problem, valueOf, write } from "../utils/Encrypted.ts"

// Written by key 1 for the places that the tests read them from.
const rows = {
  grant: `{"_tag":"Active","family":"consent-1","generation":1,"tokens":{"accessToken":"zwa1.a78f097b.r6iQY99qPuDLHlY-A9cMKR6nQ82LnpkZr-rZnVZBDgbaYrIr1dnPxJkC","refreshToken":"zwa1.a78f097b.Ej7Q1fn9hZkll-TBS3sq4q0U29o3WjxwX7v1EtXccCOxvSxq4Nd1fqKrLA","scopes":["zap"],"obtainedAt":0,"expiresAt":36000000},"responseLost":false}`,
  attempt: `{"_tag":"Pending","stateDigest":"digest-1","subject":"user-1","redirectUri":"https://app.example/callback","scopes":["zap"],"startedAt":0,"expiresAt":900000,"codeVerifier":"zwa1.a78f097b.Kxn1fVBxstdNoHKSyk2Z372vqAI3DQ8-xjKoHDb6bZvwo7OdZs4"}`,
  app: `{"_tag":"Active","generation":3,"access":{"accessToken":"zwa1.a78f097b.-HVZvDh28MUW29skOOJ6M9ZF2LOhEvfFxfNm1HWQkPjAQAtPwugDhw9q","scopes":["zap"],"obtainedAt":0,"expiresAt":36000000}}`
}

const app = { clientId: "client-1", scopes: "zap" }

const put = <Key, A>(
  store: VersionedStore<Key, A>,
  key: Key,
  { decode }: RecordCodec.RecordCodec<A>,
  row: string,
  change = (record: A): A => record
) => write(store, key, change(Option.getOrThrow(decode(row))))

describe("EncryptedStores: a record of the format before", () => {
  it.effect("is read, and is of the current format after the next write", () =>
    memory(
      Effect.gen(function* () {
        const { appCredentials, grants, inner } = yield* open(1)
        yield* put(inner.grants, key, RecordCodec.grant, rows.grant)
        expect(reveal(yield* valueOf(grants, key))).toEqual(reveal(grant(1)))
        const { entries } = yield* grants.page({ clientId: key.clientId, limit: 1 })
        expect(entries.map((entry) => reveal(entry.grant.value))).toEqual([reveal(grant(1))])
        yield* put(inner.appCredentials, app, RecordCodec.appCredential, rows.app)
        const { refreshToken: _, ...access } = grant(1).tokens
        const credential = { _tag: "Active", generation: 3, access } as const
        expect(reveal(yield* valueOf(appCredentials, app))).toEqual(reveal(credential))

        yield* write(grants, key, yield* valueOf(grants, key))
        yield* write(appCredentials, app, yield* valueOf(appCredentials, app))
        expect(yield* valueOf(inner.grants, key)).toHaveProperty("seal")
        expect(yield* valueOf(inner.appCredentials, app)).toHaveProperty("seal")
        expect(reveal(yield* valueOf(grants, key))).toEqual(reveal(grant(1)))
        expect(reveal(yield* valueOf(appCredentials, app))).toEqual(reveal(credential))
      })
    )
  )

  it.effect("is rejected in another place, or with changed authenticated data", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        for (const other of [
          { ...key, subject: "user-2" },
          { ...key, clientId: "client-2" }
        ]) {
          yield* put(inner.grants, other, RecordCodec.grant, rows.grant)
          expect(yield* problem(grants.get(other))).toBe("Altered")
        }
        for (const part of [{ generation: 2 }, { family: "consent-2" }]) {
          yield* put(inner.grants, key, RecordCodec.grant, rows.grant, (record) => ({ ...record, ...part }))
          expect(yield* problem(grants.get(key))).toBe("Altered")
        }
      })
    )
  )

  it.effect("is refused if it is an attempt: it does not tell who began it", () =>
    memory(
      Effect.gen(function* () {
        const { attempts, inner } = yield* open(1)
        yield* put(inner.attempts, "digest-1", RecordCodec.attempt, rows.attempt)
        expect(yield* problem(attempts.get("digest-1"))).toBe("NotEncrypted")
      })
    )
  )

  it.effect("is not made of a record of the current one: without the seal, or with secrets of the format before", () =>
    memory(
      Effect.gen(function* () {
        const { grants, inner } = yield* open(1)
        yield* write(grants, key, grant(1))
        const { seal, ...stored } = yield* valueOf(inner.grants, key)
        yield* write(inner.grants, key, stored)
        expect(yield* problem(grants.get(key))).toBe("Altered")
        if (seal === undefined) return expect.unreachable()
        const { tokens } = stored
        yield* write(inner.grants, key, { ...stored, tokens: { ...tokens, accessToken: seal, refreshToken: seal } })
        expect(yield* problem(grants.get(key))).toBe("Altered")
      })
    )
  )

  it.effect("is of the current format after it was encrypted anew, and of no use once its key is dropped", () =>
    memory(
      Effect.gen(function* () {
        const reencrypt = (stores: Effect.Success<ReturnType<typeof open>>) =>
          Effect.provideService(
            EncryptedStores.reencrypt(stores.inner.grants, { clientId: key.clientId }),
            KeyRing,
            stores.ring
          )
        const before = yield* open(1)
        yield* put(before.inner.grants, key, RecordCodec.grant, rows.grant)
        expect(yield* reencrypt(before)).toMatchObject({ rewritten: 1, failed: 0 })
        expect(yield* reencrypt(before)).toMatchObject({ alreadyCurrent: 1 })
        expect(yield* reencrypt(yield* open(2, 1))).toMatchObject({ rewritten: 1, failed: 0 })
        const after = yield* open(2)
        expect(reveal(yield* valueOf(after.grants, key))).toEqual(reveal(grant(1)))
        yield* put(after.inner.grants, key, RecordCodec.grant, rows.grant)
        expect(yield* problem(after.grants.get(key))).toBe("UnknownKey")
      })
    )
  )
})
