/**
 * What the models have in common: processes that do one thing after another over what they share, faults that befall
 * them, and time that passes while nobody has anything to do.
 */
import type * as Machine from "@zapier-workflow-auth/core/machine/Machine"
import type { TokenOutcome } from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as Result from "effect/Result"
import type { Move } from "../Explorer.ts"
import * as FakeHttp from "../FakeHttp.ts"
import type { Violation } from "../Invariants.ts"

/** How large a world is. */
export interface Size {
  readonly workers: number
  /** How many calls each worker makes. */
  readonly calls: number
  /** How many faults happen at most. */
  readonly faults: number
}

export interface Worker<Doing> {
  readonly name: string
  /** One higher with every restart. */
  readonly life: number
  /** How many calls it has still to make, the present one included. */
  readonly calls: number
  readonly isSuspended: boolean
  readonly hasFailed: boolean
  readonly doing: Doing
}

/** What is shared, as far as it is the same in all models. */
interface World<Doing> {
  readonly now: number
  readonly workers: ReadonlyArray<Worker<Doing>>
}

interface Tagged {
  readonly _tag: string
}

/** What somebody does until a certain time. */
interface Doing extends Tagged {
  readonly until?: number
}

export const ownerOf = ({ life, name }: Worker<unknown>): string => `${name}${life}`

/** As many as there are to be, each about to do this. */
export const make = <Doing>({ calls, workers }: Size, doing: Doing): ReadonlyArray<Worker<Doing>> =>
  Array.from({ length: workers }, (_, index) => ({
    name: String.fromCodePoint(65 + index),
    life: 1,
    calls,
    isSuspended: false,
    hasFailed: false,
    doing
  }))

/** The worker does something else now. */
export const put = <W extends World<unknown>>(world: W, worker: W["workers"][number]): W => ({
  ...world,
  workers: world.workers.map((other) => (other.name === worker.name ? worker : other))
})

// -----------------------------------------------------------------------------
// Moves
// -----------------------------------------------------------------------------

const none: ReadonlyArray<Violation> = []

export const silent = <W>(label: string, world: W): Move<W, Violation> => ({
  label,
  world,
  violations: none,
  isFault: false
})

/** The world after some observations, and what is wrong with them. */
export const observed = <Ledger, Observation, W extends { readonly ledger: Ledger }>(
  observe: (
    ledger: Ledger,
    observation: Observation
  ) => { readonly ledger: Ledger; readonly violations: ReadonlyArray<Violation> },
  label: string,
  world: W,
  observation: Observation
): Move<W, Violation> => {
  const { ledger, violations } = observe(world.ledger, observation)
  return { label, world: { ...world, ledger }, violations, isFault: false }
}

export const legal = <S, C>(next: Result.Result<Machine.Next<S, C>, Machine.IllegalTransition>) =>
  Result.getOrThrowWith(next, ({ event, machine, state }) => new Error(`${machine}: ${event} is illegal in ${state}`))

export const resume = <W extends World<unknown>>(world: W, worker: W["workers"][number]): Move<W, Violation> =>
  silent(`${worker.name} goes on`, put(world, { ...worker, isSuspended: false }))

/** To read a record is to go on from what is read: what happens in between could as well have happened before. */
export const readOn = <W extends World<Tagged>>(
  move: Move<W, Violation>,
  ask: (world: W, worker: W["workers"][number]) => Move<W, Violation> | undefined
): Move<W, Violation> => {
  let { label, world } = move
  for (let reads = 0; reads < 9; reads++) {
    const worker = world.workers.find(({ doing, isSuspended }) => doing._tag === "Asking" && !isSuspended)
    const read = worker && ask(world, worker)
    if (read === undefined) break
    world = read.world
    label += `; ${read.label}`
  }
  return world === move.world ? move : { ...move, world, label }
}

// -----------------------------------------------------------------------------
// Faults
// -----------------------------------------------------------------------------

export const noAnswer: TokenOutcome = { _tag: "NoResponse" }

export const refusals: ReadonlyArray<FakeHttp.FakeResponse> = [
  FakeHttp.json(503, { error: "temporarily_unavailable" }),
  FakeHttp.json(429, {}),
  FakeHttp.json(401, { error: "invalid_client" })
]

/** When the last moment of a request comes, if it can come before there is a whole answer. */
export const lastMoment = (world: World<Doing>, { doing, isSuspended }: Worker<Doing>): number | undefined => {
  const { until } = doing
  const isUnderWay = doing._tag === "InFlight" && !isSuspended && until !== undefined && until > world.now
  return isUnderWay && latest(world) >= until ? until : undefined
}

// -----------------------------------------------------------------------------
// Time
// -----------------------------------------------------------------------------

// Whoever runs does the next thing at once; only the suspended are slow.
const isBusy = ({ doing, isSuspended }: Worker<Tagged>) =>
  !isSuspended && ["Asking", "Saving", "Sending", "Calling"].includes(doing._tag)

/** How far time may pass: not beyond the end of a request that somebody waits for. */
const latest = ({ now, workers }: World<Doing>): number =>
  workers.some(isBusy)
    ? now
    : Math.min(
        ...workers.map(({ doing, isSuspended }) =>
          doing._tag === "InFlight" && !isSuspended ? Math.max(now, doing.until ?? now) : Infinity
        )
      )

/**
 * Time passes until something ends: one of these instants, or the access token, which does so by itself as often as
 * `expiries` says.
 */
export const pass = <W extends World<Doing> & { readonly expiries: number }>(
  world: W,
  instants: ReadonlyArray<number>,
  expiresAt: number
): ReadonlyArray<Move<W, Violation>> => {
  const { expiries, now } = world
  const expiry = expiries === 0 ? Infinity : expiresAt
  const to = Math.min(...[...instants, expiry].filter((instant) => instant > now))
  const limit = latest(world)
  if (!Number.isFinite(to) || to > limit || (to === limit && Number.isFinite(limit))) return []
  return [silent(`${to - now} ms pass`, { ...world, now: to, expiries: to === expiry ? expiries - 1 : expiries })]
}

// -----------------------------------------------------------------------------
// The end
// -----------------------------------------------------------------------------

/** How many wait for ever in a world in which nothing happens any more. */
export const waiting = ({ workers }: World<Tagged>): number =>
  workers.filter(({ calls, doing }) => calls > 0 || doing._tag !== "Idle").length

/** What is wrong with a call that failed, unless something had gone wrong. */
export const unexplained = (
  world: World<unknown> & { readonly faults: number },
  faults: number
): ReadonlyArray<Violation> =>
  world.faults === faults && world.workers.some(({ hasFailed }) => hasFailed)
    ? [{ rule: "Everybody is answered", what: "a call failed although nothing had gone wrong" }]
    : none
