/**
 * A million grants in a store, and the time of a token that this process has not read before, of a refresh, and of
 * listing all grants. Without a network: token requests get their response at once.
 */
import { loadavg } from "node:os"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import { type Grant, GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Clock from "effect/Clock"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Places from "../grantPlaces.ts"
import * as ManyGrants from "../manyGrants.ts"
import { memory, type Memory, timed, timesOf } from "../measure.ts"
import { type Report, round, say } from "../report.ts"

export const name = "scale"

export interface Asked {
  readonly store: Places.Kind
  readonly grants: number
  readonly encrypted: boolean
}

const reads = 20_000

const refreshes = 2_000

// In microseconds: half of all cold reads from the embedded database must be faster.
const coldReadBound = 1_000

// In bytes, for everything that stays in this process: for a million grants 33 each, while a kept grant would take a
// thousand. It covers the 10,000 tokens that may be kept in memory, and Effect's table of redacted values, which stays
// as large as it was between two garbage collections.
const heapBound = 32 * 1_024 * 1_024

type Store = GrantStore["Service"]

const { clientId } = ManyGrants.application

const seconds = (millis: number) => round(millis / 1_000, 2)

const crypto = Layer.mergeAll(Aead.layerWebCrypto, Digest.layerWebCrypto).pipe(
  Layer.provideMerge(SecureRandom.layerWebCrypto)
)

const encrypting = Effect.gen(function* () {
  const ring = yield* KeyRing.make([yield* KeyRing.generate])
  return (store: Store) => EncryptedStores.grants(store, ring)
}).pipe(Effect.provide(crypto))

const fillWith = Effect.fnUntraced(function* (store: Store, grants: number) {
  const now = yield* Clock.currentTimeMillis
  const write = (index: number) => {
    const key = { clientId, subject: ManyGrants.subjectOf(index) }
    if ((index + 1) % 100_000 === 0) say(`${name}: ${index + 1} grants`)
    return store.compareAndSet(key, Option.none(), ManyGrants.grantOf(index, now))
  }
  // Several at a time, because other threads encrypt.
  yield* Effect.forEach(ManyGrants.indices(grants), write, { concurrency: 16, discard: true })
}, Effect.orDie)

let answers = 0

const httpClient = HttpClient.make((request) =>
  Effect.sync(() => {
    const tokens = {
      access_token: ManyGrants.tokenOf(`access answer ${++answers}`),
      expires_in: ManyGrants.tokenLife,
      token_type: "Bearer",
      scope: ManyGrants.scopes.join(" "),
      refresh_token: ManyGrants.tokenOf(`refresh answer ${answers}`)
    }
    return HttpClientResponse.fromWeb(request, Response.json(tokens))
  })
)

// Writes of a refresh: the claim, and the commit of the new tokens.
const makeWatch = () => {
  const claims: Array<number> = []
  const commits: Array<number> = []
  const watch = (store: Store): Store => ({
    ...store,
    compareAndSet: (key, expected, grant) =>
      Effect.map(timed(store.compareAndSet(key, expected, grant)), ([done, millis]) => {
        if (done) (grant._tag === "Refreshing" ? claims : commits).push(millis)
        return done
      })
  })
  return { claims, commits, watch }
}

const accessEach = Effect.fnUntraced(function* (indices: ReadonlyArray<number>) {
  const auth = yield* ZapierAuth
  const took: Array<number> = []
  for (const index of indices) {
    const [, millis] = yield* timed(auth.accessToken(ManyGrants.subjectOf(index)))
    took.push(millis)
  }
  return took
})

const iterate = Effect.fnUntraced(function* (limit: number, state?: Grant["_tag"]) {
  const store = yield* GrantStore
  let found = 0
  let after: string | undefined
  do {
    const page = yield* store.page({ clientId, state, after, limit })
    found += page.entries.length
    after = page.next
  } while (after !== undefined)
  return found
})

const measure = Effect.fnUntraced(function* ({ grants, store }: Asked) {
  // The store in memory sorts everything for each page.
  const pageSize = store === "memory" ? 100_000 : 1_000
  const live = ManyGrants.sample("Live", grants, Math.min(reads, Math.floor(grants / 2)))
  const expired = ManyGrants.sample("Expired", grants, Math.min(refreshes, Math.floor(grants / 40)))
  const coldReads = yield* accessEach(live)
  const read = yield* memory
  const refreshed = yield* accessEach(expired)
  const [all, allMillis] = yield* timed(iterate(pageSize))
  const [lost, lostMillis] = yield* timed(iterate(pageSize, "ReconnectRequired"))
  return {
    times: { coldRead: timesOf(coldReads), refresh: timesOf(refreshed) },
    iteration: { pageSize, grants: all, seconds: seconds(allMillis) },
    reconnectRequired: { grants: lost, seconds: seconds(lostMillis) },
    memory: { read, end: yield* memory }
  }
})

const measureIn = Effect.fnUntraced(function* (asked: Asked) {
  const { encrypted, grants, store } = asked
  const place = yield* Places.make(store)
  const seal = encrypted ? yield* encrypting : (plain: Store) => plain
  const before = yield* memory
  const [bytes, fillMillis] = yield* timed(place.fill((target) => fillWith(seal(target), grants)))
  const filled = yield* memory

  const { claims, commits, watch } = makeWatch()
  const watched = Layer.effect(
    GrantStore,
    Effect.map(GrantStore, (inner) => watch(seal(inner)))
  ).pipe(Layer.provideMerge(place.stores))
  const library = ZapierNode.layerWithoutStores({
    application: ManyGrants.application,
    httpClient: Layer.succeed(HttpClient.HttpClient, httpClient)
  }).pipe(Layer.provideMerge(watched))
  const { memory: later, times, ...rest } = yield* Effect.provide(measure(asked), library)
  return {
    bytesPerGrant: round(bytes / grants),
    fillSeconds: seconds(fillMillis),
    micros: { ...times, claim: timesOf(claims), commit: timesOf(commits) },
    ...rest,
    memory: { before, filled, ...later }
  }
}, Effect.scoped)

const toMegabytes = ({ heap, rss }: Memory) => ({ heapMB: round(heap / 1e6, 1), rssMB: round(rss / 1e6, 1) })

export const run = Effect.fnUntraced(function* (asked: Asked) {
  // Lets the code be compiled, so that it does not count as growth.
  yield* measureIn({ ...asked, store: "memory", grants: Math.min(asked.grants, 5_000) })
  const { memory, ...measured } = yield* measureIn(asked)
  const { before, end, filled, read } = memory
  // The grants themselves are in this process if the store is.
  const heapGrowthBytes = end.heap - (asked.store === "memory" ? filled : before).heap
  const isFast = asked.store !== "sqlite" || measured.micros.coldRead.p50 < coldReadBound
  return {
    scenario: name,
    passed: isFast && heapGrowthBytes <= heapBound,
    ...asked,
    ...measured,
    heapGrowthBytes,
    heapBound,
    memory: {
      before: toMegabytes(before),
      filled: toMegabytes(filled),
      read: toMegabytes(read),
      end: toMegabytes(end)
    },
    // The machine's load: above the number of cores, times say little about the store.
    loadAverage: round(loadavg()[0] ?? 0, 1)
  } satisfies Report
}, Effect.orDie)
