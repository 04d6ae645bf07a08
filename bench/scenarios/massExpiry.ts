/**
 * The tokens of many different users have expired at the same time, and each user calls once; with several processes, each
 * in two of them. Beside the same reads, compare-and-sets and requests without the library, in turn with it in the same
 * run. Zapier is a function of each process and responds at once, so that nothing but the work is measured.
 */
import * as Effect from "effect/Effect"
import * as Database from "../database.ts"
import * as ExpiredGrants from "../expiredGrants.ts"
import * as ManyGrants from "../manyGrants.ts"
import { medianOf } from "../measure.ts"
import { type Report, round, say } from "../report.ts"
import * as Workers from "../workers.ts"
import { type Reply, type Command, type Way, ways } from "./massExpiryWorker.ts"

export const name = "mass-expiry"

export const kinds = ["sqlite", "postgres"] as const

export type Kind = (typeof kinds)[number]

export interface Asked {
  readonly store: Kind
  readonly processes: number
  /** Different grants in each round. */
  readonly grants: number
  readonly rounds: number
}

// Calls under way at a time, in all processes together: an app serves so many users at once.
const concurrency = 256

const warmUpGrants = 500

const file = new URL("massExpiryWorker.ts", import.meta.url).pathname

/** Of the rate without the library; less fails. By store, and whether one process calls or several. */
const bounds: { readonly [kind in Kind]: { readonly alone: number; readonly shared: number } } = {
  sqlite: { alone: 0.35, shared: 0.5 },
  postgres: { alone: 0.5, shared: 0.5 }
}

type Process = Workers.Responder<Command, Reply>

// Each grant in two processes that follow each other; in the only one once.
const shareOf = (first: number, count: number, index: number, processes: number) =>
  Array.from({ length: count }, (_, offset) => first + offset).filter((grant) => {
    const turn = grant % processes
    return turn === index || (turn + 1) % processes === index
  })

const callAll = Effect.fnUntraced(function* (
  processes: ReadonlyArray<Process>,
  way: Way,
  first: number,
  count: number
) {
  const shares = processes.map((_, index) => shareOf(first, count, index, processes.length))
  const began = performance.now()
  processes.forEach(({ worker }, index) =>
    worker.send({
      _tag: "Call",
      way,
      grants: shares[index] ?? [],
      concurrency: Math.ceil(concurrency / processes.length)
    })
  )
  const replies = yield* Effect.promise(() => Promise.all(processes.map(({ next }) => next())))
  const seconds = (performance.now() - began) / 1_000
  const sum = (member: "tokenRequests" | "failedCalls") =>
    replies.reduce((total, one) => total + (one._tag === "Called" ? one[member] : 0), 0)
  const calls = shares.reduce((total, share) => total + share.length, 0)
  return { calls, seconds, tokenRequests: sum("tokenRequests"), failedCalls: sum("failedCalls") }
})

export const run = Effect.fnUntraced(
  function* ({ grants, processes: count, rounds, store }: Asked) {
    const database = yield* Database.make(store)
    let filled = 0
    const fill = Effect.fnUntraced(function* (grants: number) {
      const first = filled
      filled += grants
      yield* ExpiredGrants.fill(database, first, grants)
      return first
    })
    yield* fill(1)
    const begin: Command = { _tag: "Begin", database }
    const processes = yield* Workers.startResponders<Command, Reply>(
      file,
      Array.from({ length: count }, () => begin)
    )
    yield* Effect.promise(() => Promise.all(processes.map(({ next }) => next())))
    const measure = Effect.fnUntraced(function* (way: Way, grants: number) {
      return yield* callAll(processes, way, yield* fill(grants), grants)
    })
    for (const way of ways) yield* measure(way, Math.min(grants, warmUpGrants))
    const measured = yield* Effect.forEach(ManyGrants.indices(rounds), () =>
      Effect.gen(function* () {
        const library = yield* measure("library", grants)
        const bare = yield* measure("bare", grants)
        say(
          `${name}: ${store}, ${count} processes: ${round(library.seconds, 1)} s, ${round(bare.seconds, 1)} s without`
        )
        return { library, bare }
      })
    )
    const rateOf = (way: Way) => medianOf(measured.map((round) => grants / round[way].seconds))
    const ratio = round(medianOf(measured.map(({ bare, library }) => bare.seconds / library.seconds)), 2)
    const sum = (member: "calls" | "tokenRequests" | "failedCalls") =>
      measured.reduce((total, { library }) => total + library[member], 0)
    const bound = bounds[store][count === 1 ? "alone" : "shared"]
    const counts = { calls: sum("calls"), tokenRequests: sum("tokenRequests"), failedCalls: sum("failedCalls") }
    return {
      scenario: name,
      passed: counts.failedCalls === 0 && counts.tokenRequests === grants * rounds && ratio >= bound,
      store,
      processes: count,
      grants: grants * rounds,
      ...counts,
      rate: round(rateOf("library")),
      bareRate: round(rateOf("bare")),
      ratio,
      bound
    } satisfies Report
  },
  Effect.scoped,
  Effect.orDie
)
