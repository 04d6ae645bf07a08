import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as DriverState from "../../src/machine/DriverState.ts"
import * as DriverWorld from "../utils/DriverWorld.ts"

const steps = DriverWorld.Program

const edges: { readonly [from: string]: { readonly [event: string]: { readonly [to: string]: string } | undefined } } =
  DriverState.edges

const nothing = () => {}

const store = (how: "Done" | "Failed"): DriverWorld.Step => ({ _tag: "Store", how })

// A caller waits for the request of its own process.
const requesting: ReadonlyArray<DriverWorld.Step> = [
  { _tag: "Connect" },
  store("Done"),
  store("Done"),
  { _tag: "Pass", millis: 36_000_000 },
  { _tag: "Ask" },
  { _tag: "Ask" },
  store("Done"),
  store("Done")
]

const overtaken: ReadonlyArray<DriverWorld.Step> = [store("Done"), { _tag: "Overtake" }, store("Done")]

const second: DriverWorld.Step = { _tag: "Pause", millis: 1_000 }

// Ten hours, and a token has ended.
const ending = Array.from({ length: 10 }, (): DriverWorld.Step => ({ _tag: "Jump", millis: 3_600_000 }))

// Another process is faster to renew a token, which ends before this one sees it.
const outrun: ReadonlyArray<DriverWorld.Step> = [store("Done"), { _tag: "Overtake" }, ...ending, store("Done")]

// A caller came, and left while its process takes a pause after conflicts.
const conflicted: ReadonlyArray<DriverWorld.Step> = [
  { _tag: "Connect" },
  store("Done"),
  store("Done"),
  { _tag: "Ask" },
  store("Done"),
  ...ending,
  { _tag: "Ask" },
  ...outrun,
  ...outrun,
  ...outrun
]

// Edges that hardly any drawn program comes by.
const directed: ReadonlyArray<ReadonlyArray<DriverWorld.Step>> = [
  [...conflicted, second, { _tag: "Leave" }],
  [...conflicted, { _tag: "Leave" }, { _tag: "Pass", millis: 300 }],
  [...conflicted, { _tag: "Leave" }, second, { _tag: "Close" }],
  [...conflicted, { _tag: "Leave" }, second, { _tag: "Accept" }],
  [...conflicted, { _tag: "Leave" }, { _tag: "Close" }, second, { _tag: "Ask" }],
  [...conflicted, { _tag: "Leave" }, { _tag: "Close" }, second, { _tag: "Disconnect" }],
  [{ _tag: "Connect" }, ...overtaken, ...overtaken, ...overtaken],
  [...requesting, second, { _tag: "Leave" }],
  [...requesting, second, { _tag: "Close" }],
  [...requesting, { _tag: "Connect" }, store("Failed"), second, { _tag: "Respond", how: "Granted" }]
]

const runs = { arbitrary: { runs: 1_000 } }

// An outcome of another operation than the one that is under way.
const isStale = (before: DriverWorld.State, input: DriverWorld.Input) => {
  switch (input._tag) {
    case "Loaded":
    case "Saved":
    case "Conflicted":
    case "StoreFailed":
      return !("id" in before.store) || before.store.id !== input.id
    case "Responded":
      return before.request?.id !== input.id
    default:
      return false
  }
}

describe("Driver: the table", () => {
  it.prop(
    "the store's region moves along its edges",
    [steps],
    ([program]) => {
      const world = DriverWorld.make((before, input, after) => {
        if (isStale(before, input)) return
        expect(Object.keys(edges[before.store._tag]?.[input._tag] ?? {})).toContain(after.store._tag)
      })
      program.forEach(world.take)
      world.settle()
    },
    runs
  )

  it.effect("every edge is reached", () =>
    Effect.gen(function* () {
      const stated = Object.entries(edges).flatMap(([from, events]) =>
        Object.entries(events).flatMap(([event, targets]) =>
          Object.keys(targets ?? {}).map((to) => `${from} ${event} ${to}`)
        )
      )
      const reached = new Set<string>()
      const programs = yield* Arbitrary.sampleEffect(Arbitrary.schema(DriverWorld.Long), {
        count: 3_000,
        seed: "edges"
      })
      for (const program of [...directed, ...programs]) {
        const world = DriverWorld.make((before, input, after) => {
          if (!isStale(before, input)) reached.add(`${before.store._tag} ${input._tag} ${after.store._tag}`)
        })
        program.forEach(world.take)
        world.settle()
      }
      expect(stated.filter((edge) => !reached.has(edge))).toEqual([])
    })
  )
})

describe("Driver: invariants", () => {
  it.prop(
    "each caller that stays gets one reply, and nothing stays under way",
    [steps],
    ([program]) => {
      const world = DriverWorld.make(nothing)
      program.forEach(world.take)
      world.settle()
      expect(world.waiting()).toEqual([])
      expect(new Set(world.told.map(({ caller }) => caller)).size).toBe(world.told.length)
      expect(DriverState.isBusy(world.state())).toBe(false)
    },
    runs
  )

  it.prop(
    "a claim is stored before its request is sent, and there is one request at a time",
    [steps],
    ([program]) => {
      let isOpen = false
      const world = DriverWorld.make((before, input, _, outputs) => {
        if (input._tag === "Responded") isOpen = false
        for (const output of outputs) {
          if (output._tag === "Abandon" && output.id === before.request?.id) isOpen = false
          if (output._tag !== "Send") continue
          expect(isOpen).toBe(false)
          isOpen = true
          expect(input._tag).toBe("Saved")
          expect(world.record()).toMatchObject({ _tag: "Refreshing", lease: { owner: DriverWorld.owner } })
        }
      })
      program.forEach(world.take)
      world.settle()
    },
    runs
  )

  it.prop(
    "a rejected token is not handed out again, unless it has just replaced another",
    [steps],
    ([program]) => {
      const rejected = new Set<unknown>()
      const world = DriverWorld.make((_, input, after, outputs) => {
        if (input._tag === "Asked" && input.unusable !== undefined && input.unusable.replacedAt === undefined) {
          rejected.add(input.unusable.accessToken)
        }
        for (const output of outputs) {
          if (output._tag === "Reply" && output.reply._tag === "Access") {
            expect(rejected.has(output.reply.access.accessToken)).toBe(false)
          }
        }
        if (after.memory !== undefined) expect(rejected.has(after.memory.access.accessToken)).toBe(false)
      })
      program.forEach(world.take)
      world.settle()
    },
    runs
  )

  it.prop(
    "a caller gets a reply soon after requestTimeout, unless its event is retried",
    [steps],
    ([program]) => {
      const world = DriverWorld.make((_, __, after) => {
        if (after.callers.length > 0) expect(DriverState.wakeAt(after)).toBeLessThan(Infinity)
      })
      program.forEach(world.take)
      world.take({ _tag: "Pass", millis: 21_000 })
      expect(DriverWorld.settings.requestTimeout + DriverState.grace).toBeLessThan(21_000)
      expect(world.state().callers.filter(({ until }) => until !== Infinity)).toEqual([])
    },
    runs
  )

  it.prop(
    "step is pure, and takes any input at any time",
    [steps],
    ([program]) => {
      const world = DriverWorld.make((before, input, after) => {
        const now = { wall: 5, elapsed: 5 }
        expect(DriverWorld.driver.step(before, input, now)).toEqual(DriverWorld.driver.step(before, input, now))
        expect(after).toBeDefined()
      })
      program.forEach(world.take)
    },
    runs
  )
})
