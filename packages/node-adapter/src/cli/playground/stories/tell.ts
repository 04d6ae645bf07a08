/** Performs a story, step by step, in all of its columns at once, and describes the outcome of each step. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Lane from "./lane.ts"
import { type Action, type Server, servers, type Story } from "./stories.ts"
import type { Called, Column } from "./storyProcess.ts"

export interface Outcome {
  readonly tone: "Good" | "Mixed" | "Bad" | "Plain"
  readonly text: string
}

export interface ToldStep {
  readonly words: string
  /** One outcome for each column. */
  readonly outcomes: ReadonlyArray<Outcome>
}

export interface Head {
  readonly column: Column
  readonly server: Server
}

/** The columns of a story, from left to right. */
export const headsOf = ({ servers }: Story): ReadonlyArray<Head> =>
  servers.flatMap((server) => [
    { column: "WithLibrary", server },
    { column: "ByHand", server }
  ])

const plain = (text: string): Outcome => ({ tone: "Plain", text })

const counted = (count: number, one: string) => `${count} ${one}${count === 1 ? "" : "s"}`

const isSuccess = (called: Called) => "status" in called && called.status < 400

const toneOf = (calls: ReadonlyArray<Called>): Outcome["tone"] => {
  const others = calls.filter((called) => !isSuccess(called))
  if (others.length === 0) return "Good"
  return others.every((called) => "message" in called && called.isRetryable === true) ? "Mixed" : "Bad"
}

// The first sentence says what happened.
const sentence = (message: string) => message.replace(/([.!?]) [A-Z][^]*$/, "$1")

const kindOf = (called: Called): string => {
  if (isSuccess(called)) return "succeeded"
  if ("status" in called) return `failed: Zapier responded with ${called.status}.`
  return `${called.isRetryable === true ? "may be retried" : "failed"}: ${sentence(called.message)}`
}

const ofCalls = (calls: ReadonlyArray<Called>, refreshes: number): Outcome => {
  const counts = new Map<string, number>()
  for (const called of calls) counts.set(kindOf(called), (counts.get(kindOf(called)) ?? 0) + 1)
  const texts = Array.from(counts, ([kind, count]) => `${counted(count, "call")} ${kind}`.replace(/[^.]$/, "$&."))
  const sent = refreshes === 0 ? "" : ` Refreshes sent: ${refreshes}.`
  return { tone: toneOf(calls), text: `${texts.join(" ")}${sent}` }
}

interface Tally {
  readonly calls: Array<Called>
}

const perform = Effect.fnUntraced(function* (lane: Lane.Lane, action: Action, tally: Tally) {
  const before = yield* lane.refreshes
  const calls = Effect.fnUntraced(function* (called: ReadonlyArray<Called>) {
    tally.calls.push(...called)
    return ofCalls(called, (yield* lane.refreshes) - before)
  })
  switch (action._tag) {
    case "Connect":
      yield* lane.connect
      return { tone: "Good", text: "Connected: two tokens are stored." } satisfies Outcome
    case "TimePasses":
      yield* lane.advance(Duration.minutes(action.minutes))
      return plain("")
    case "Call":
      return yield* calls(yield* lane.call(action.count, (action.secondsApart ?? 0) * 1_000))
    case "Fault":
      yield* lane.setFault(action.fault)
      return plain("")
    case "KillDuringCall":
      return yield* calls(yield* lane.killDuringCall(action.signal))
    case "StartProcess":
      yield* lane.startProcess
      return plain("")
    case "RegenerateSecret":
      yield* lane.regenerateSecret
      return plain("")
    case "ConfigureSecret":
      return plain((yield* lane.configureSecret) ? "The app is restarted to read it." : "Read without a restart.")
  }
})

const verdict = Effect.fnUntraced(function* (lane: Lane.Lane, { calls }: Tally) {
  const succeeded = calls.filter(isSuccess).length
  const isConnected = yield* lane.isConnected
  const text = [
    `${succeeded} of ${counted(calls.length, "call")} succeeded.`,
    `Refreshes sent: ${yield* lane.refreshes}.`,
    isConnected ? "Ada is still connected." : "Ada has to connect again."
  ].join(" ")
  const tone = !isConnected ? "Bad" : toneOf(calls) === "Bad" ? "Mixed" : "Good"
  return { tone, text } satisfies Outcome
})

/**
 * Performs a story. The processes and servers that it needs end with it.
 *
 * @param told is called after each step
 */
export const tell = (story: Story, told: (step: ToldStep) => Effect.Effect<unknown>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { patience, processes = 1, steps } = story
      const lanes = yield* Effect.forEach(
        headsOf(story),
        ({ column, server }) =>
          Effect.map(
            Lane.make({ column, settings: { ...servers[server].settings, rateLimits: false }, processes, patience }),
            (lane) => ({
              lane,
              tally: { calls: [] } as Tally
            })
          ),
        { concurrency: "unbounded" }
      )
      for (const { action, words } of steps) {
        const outcomes = yield* Effect.forEach(lanes, ({ lane, tally }) => perform(lane, action, tally), {
          concurrency: "unbounded"
        })
        yield* told({ words, outcomes })
      }
      return yield* Effect.forEach(lanes, ({ lane, tally }) => verdict(lane, tally), { concurrency: "unbounded" })
    })
  )
