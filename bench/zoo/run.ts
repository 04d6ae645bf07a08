/** Lets worker processes check apps of the zoo, and collects the results. */
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import * as Workers from "../workers.ts"
import { bugs } from "./bugs.ts"
import type { Bug } from "./case.ts"
import { correct } from "./correct.ts"
import type { Order, Outcome } from "./try.ts"

/** How much is checked. */
export interface Options {
  /** Scenarios for each bug and seed. */
  readonly runs: number
  /** Scenarios for each correct app, with the first seed and with each other one. */
  readonly correctRuns: readonly [first: number, other: number]
  readonly seeds: ReadonlyArray<number>
  readonly workers: number
  /** Only apps whose names contain it. */
  readonly only?: string | undefined
}

/** The results for a bug, with each seed. */
export interface OfBug {
  readonly bug: Bug
  readonly outcomes: ReadonlyArray<Outcome>
  /** Found with every seed, by a script of few steps. */
  readonly isFound: boolean
}

export interface Report {
  readonly bugs: ReadonlyArray<OfBug>
  readonly found: number
  readonly correct: number
  /** Accusations against correct apps. */
  readonly accused: ReadonlyArray<Outcome>
  readonly passed: boolean
}

// A longer script explains little.
const mostSteps = 5

// How many bugs may be missed, and how many correct apps are required.
const missed = 3
const leastCorrect = 15

const isFound = ({ rule, steps }: Outcome) => rule !== undefined && steps <= mostSteps

const ordersOf = ({ correctRuns: [first, other], only = "", runs, seeds }: Options): ReadonlyArray<Order> => {
  const named = ({ name }: { readonly name: string }) => name.includes(only)
  // Slowest first, so that no worker is left alone with it.
  return [
    ...correct
      .filter(named)
      .toReversed()
      .flatMap(({ name }) => seeds.map((seed, index) => ({ name, seed, runs: index === 0 ? first : other }))),
    ...bugs.filter(named).flatMap(({ name }) => seeds.map((seed) => ({ name, seed, runs })))
  ]
}

const file = fileURLToPath(new URL("worker.ts", import.meta.url))

/** Divides the orders among workers. */
const carryOut = (orders: ReadonlyArray<Order>, workers: number, onOutcome: (outcome: Outcome) => void) =>
  Effect.gen(function* () {
    const waiting = [...orders]
    const first = waiting.splice(0, workers)
    const started = yield* Workers.startResponders<Order, Outcome>(file, first)
    const outcomes: Array<Outcome> = []
    yield* Effect.forEach(
      started,
      ({ next, worker }) =>
        Effect.promise(async () => {
          while (true) {
            const outcome = await next()
            outcomes.push(outcome)
            onOutcome(outcome)
            const order = waiting.shift()
            if (order === undefined) return
            worker.send(order)
          }
        }),
      { concurrency: "unbounded", discard: true }
    )
    return outcomes
  }).pipe(Effect.scoped)

/**
 * @param onOutcome called with the result of each app
 */
export const run = async (options: Options, onOutcome: (outcome: Outcome) => void = () => {}): Promise<Report> => {
  const orders = ordersOf(options)
  const outcomes = await Effect.runPromise(carryOut(orders, options.workers, onOutcome))
  const of = (name: string) => outcomes.filter((one) => one.name === name).sort((a, b) => a.seed - b.seed)
  const checked = bugs
    .map((bug) => ({ bug, outcomes: of(bug.name) }))
    .filter(({ outcomes }) => outcomes.length > 0)
    .map((one): OfBug => ({ ...one, isFound: one.outcomes.every(isFound) }))
  const right = correct.filter(({ name }) => of(name).length > 0)
  const accused = right.flatMap(({ name }) => of(name).filter(({ rule }) => rule !== undefined))
  const found = checked.filter((one) => one.isFound).length
  const isWhole = options.only === undefined
  const passed =
    found >= checked.length - (isWhole ? missed : 0) &&
    accused.length === 0 &&
    (!isWhole || right.length >= leastCorrect)
  return { bugs: checked, found, correct: right.length, accused, passed }
}

/** A table of the bugs and their results. */
export const tableOf = ({ bugs }: Report): string => {
  const rows = bugs.map(({ bug, outcomes }) => {
    const seeds = outcomes.map(({ rule, seed }) => `${seed}:${rule === undefined ? "-" : "x"}`)
    const rules = new Set(outcomes.flatMap(({ rule }) => rule ?? []))
    const steps = outcomes.map(({ steps }) => steps)
    const ms = outcomes.map(({ ms }) => ms)
    return [bug.name, bug.family, seeds.join(" "), steps.join(" "), ms.join(" "), [...rules].join("; ")]
  })
  const head = ["bug", "family", "found with seed", "steps", "ms", "rule"]
  const widths = head.map((title, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? title).length)))
  const line = (row: ReadonlyArray<string>) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd()
  return [head, ...rows].map(line).join("\n")
}
