/**
 * Many grants used in turn in one process: the memory for them is bounded by `memoryCapacity`. The store keeps nothing,
 * so the heap is the library's.
 */
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Effect from "effect/Effect"
import * as Offline from "../offline.ts"
import { type Report, round, say } from "../report.ts"

export const name = "grants"

export const calls = 100_000

const checkpoints = 5

// How much the heap may grow between the first checkpoint and the last: 13 bytes each for 80,000 grants, less than a
// token. Two measurements of the same heap differ by about 200 kB.
const bound = 1_024 * 1_024

const heapUsed = Effect.promise(async () => {
  if (global.gc === undefined) throw new Error("run with --expose-gc: the heap is measured without garbage")
  // Finalization callbacks run in the turn after the collection that finds them, some in the next.
  for (let i = 0; i < 3; i++) {
    global.gc()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed
})

const subjectOf = (index: number) => `subject-${index}`

const use = Effect.fnUntraced(function* (grants: number, reads: () => number) {
  const auth = yield* ZapierAuth
  const zapier = yield* ZapierHttpClient
  const heap: Array<number> = []
  const began = performance.now()
  for (let index = 0; index < grants; index++) {
    const response = yield* zapier.call("GET /v2/zaps", { credential: Credential.user(subjectOf(index)) })
    yield* response.arrayBuffer
    if ((index + 1) % Math.ceil(grants / checkpoints) === 0 || index + 1 === grants) heap.push(yield* heapUsed)
  }
  const seconds = (performance.now() - began) / 1_000
  // The grants that are served from memory, counted back from the last used.
  let liveTokens = 0
  const before = reads()
  for (let index = grants - 1; index >= 0; index--) {
    yield* auth.accessToken(subjectOf(index))
    if (reads() > before) break
    liveTokens++
  }
  return { heap, heapGrowthBytes: (heap.at(-1) ?? 0) - (heap[0] ?? 0), liveTokens, seconds }
})

const measure = Effect.fnUntraced(function* (grants: number, memoryCapacity: number) {
  const { reads, store } = yield* Offline.makeStore
  return yield* Effect.provide(use(grants, reads), Offline.layer(store, { memoryCapacity, memoryLifetime: "1 hour" }))
})

export const run = Effect.fnUntraced(function* (calls: number) {
  // The default, unless too few grants would fill it well before the first checkpoint.
  const memoryCapacity = Math.min(10_000, Math.ceil(calls / 10))
  // Lets the code be compiled.
  yield* measure(Math.min(calls, 2_000), memoryCapacity)
  const bounded = yield* measure(calls, memoryCapacity)
  say(`grants: ${calls} grants, ${memoryCapacity} in memory: the heap was ${bounded.heap.join(", ")} bytes`)
  const unbounded = yield* measure(calls, Number.MAX_SAFE_INTEGER)
  say(`grants: ${calls} grants, all in memory: the heap was ${unbounded.heap.join(", ")} bytes`)
  return {
    scenario: name,
    passed:
      bounded.heapGrowthBytes <= bound &&
      bounded.liveTokens === memoryCapacity &&
      // Otherwise the measurement would have missed the kept grants.
      unbounded.heapGrowthBytes > bound &&
      unbounded.liveTokens === calls,
    grants: calls,
    memoryCapacity,
    bound,
    bounded: { ...bounded, seconds: round(bounded.seconds, 2) },
    unbounded: { ...unbounded, seconds: round(unbounded.seconds, 2) },
    opsPerSecond: round(calls / bounded.seconds)
  } satisfies Report
}, Effect.orDie)
