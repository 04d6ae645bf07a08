/**
 * What holds for every machine: its table says exactly what `step` does, a stale event changes nothing, and `step` is a
 * pure function.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"
import type * as Lease from "../../src/machine/Lease.ts"
import type * as Machine from "../../src/machine/Machine.ts"
import { reveal, withSecret } from "./Reveal.ts"

/** A state, an event that reaches it, and when. */
export interface Situation<S, E> {
  readonly state: S
  readonly event: E
  readonly now: number
}

// How an event relates to the state. Values that are drawn by themselves would hardly ever agree.
const Relation = Schema.Struct({
  /** Which members of the event repeat what the state says. */
  owner: Schema.Boolean,
  family: Schema.Boolean,
  generation: Schema.Literals(["same", "older", "newer", "any"]),
  stateDigest: Schema.Boolean,
  subject: Schema.Boolean,
  /** Whether the time is one of those that the state names, and how far from it. */
  clock: Schema.Literals(["arbitrary", "named"]),
  which: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })),
  offset: Schema.Literals([-1, 0, 1])
})

const instants = ["obtainedAt", "expiresAt", "deadline", "until", "since", "startedAt", "receivedAt"]

const times = (value: unknown): ReadonlyArray<number> =>
  typeof value !== "object" || value === null || Redacted.isRedacted(value)
    ? []
    : Object.entries(value).flatMap(([key, item]) =>
        typeof item === "number" ? (instants.includes(key) ? [item] : []) : times(item)
      )

const relate = <S extends Machine.Tagged, E extends Machine.Tagged>(
  state: S,
  event: E,
  relation: typeof Relation.Type
): E => {
  const from: Record<string, unknown> = Object.fromEntries(Object.entries(state))
  const overrides: Record<string, unknown> = {}
  const has = (key: string) => key in event && key in from
  const holder = "lease" in state ? (state.lease as Lease.Lease).owner : undefined
  if (relation.owner && "owner" in event && holder !== undefined) overrides["owner"] = holder
  for (const key of ["family", "stateDigest", "subject"] as const) {
    if (relation[key] && has(key)) overrides[key] = from[key]
  }
  if (relation.generation !== "any" && has("generation")) {
    const by = { same: 0, older: -1, newer: 1 }
    overrides["generation"] = Number(from["generation"]) + by[relation.generation]
  }
  return { ...event, ...overrides }
}

/** States and events drawn from their schemas, at arbitrary times, often such that the event is about the state. */
export const situations = <S extends Machine.Tagged, E extends Machine.Tagged>(
  states: Schema.Schema<S>,
  events: Schema.Schema<E>
): Arbitrary.Arbitrary<Situation<S, E>> =>
  Arbitrary.all({
    state: Arbitrary.schema(states),
    event: Arbitrary.schema(events),
    now: Arbitrary.schema(Schema.Finite),
    relation: Arbitrary.schema(Relation)
  }).pipe(
    Arbitrary.map(({ event, now, relation, state }) => {
      const named = times(state)
      const time = relation.clock === "named" ? named[relation.which % named.length] : undefined
      return { state, event: relate(state, event, relation), now: time === undefined ? now : time + relation.offset }
    })
  )

/** The value, such that writing to any part of it throws. Secrets are frozen by themselves. */
export const freeze = <A>(value: A): A => {
  if (typeof value === "object" && value !== null && !Redacted.isRedacted(value) && !Object.isFrozen(value)) {
    Object.values(value).forEach(freeze)
    Object.freeze(value)
  }
  return value
}

/** The step, which has to be legal. */
export const stepOf =
  <S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged>(machine: Machine.Machine<S, E, C>) =>
  (state: S, event: E, now: number): Machine.Next<S, C> =>
    Result.getOrThrowWith(machine.step(freeze(state), freeze(event), now), () => new Error("an illegal event"))

const plainText = "a-secret-in-plain-text"

/** Registers the tests. `directed` reaches the edges that hardly any drawn situation does. */
export const describeTable = <S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged>(
  machine: Machine.Machine<S, E, C>,
  table: Machine.Edges<S["_tag"], E["_tag"]>,
  states: Schema.Schema<S>,
  events: Schema.Schema<E>,
  directed: ReadonlyArray<Situation<S, E>> = []
) => {
  const drawn = situations(states, events)
  const edges = table as {
    readonly [state: string]: { readonly [event: string]: { readonly [target: string]: string } | undefined }
  }
  const targets = (state: S, event: E) => edges[state._tag]?.[event._tag]
  const arbitrary = { arbitrary: { runs: 500 } }

  describe(`${machine.name}: the table`, () => {
    it.prop(
      "a stale event is legal in every state, and changes nothing",
      [drawn],
      ([{ event, now, state }]) => {
        if (!machine.isStale(state, event)) return
        const next = stepOf(machine)(state, event, now)
        expect(next.state).toBe(state)
        expect(next.commands).toEqual([])
      },
      arbitrary
    )

    it.prop(
      "an event without an edge is illegal, names itself, and changes nothing",
      [drawn],
      ([{ event, now, state }]) => {
        if (machine.isStale(state, event) || targets(state, event) !== undefined) return
        expect(machine.step(freeze(state), freeze(event), now)).toEqual(
          Result.fail({ machine: machine.name, state: state._tag, event: event._tag })
        )
      },
      arbitrary
    )

    it.prop(
      "an event with an edge leads to a target of the table",
      [drawn],
      ([{ event, now, state }]) => {
        const allowed = targets(state, event)
        if (machine.isStale(state, event) || allowed === undefined) return
        expect(Object.keys(allowed)).toContain(stepOf(machine)(state, event, now).state._tag)
      },
      arbitrary
    )

    it("an edge group with one target always leads there, and one with several says when", () => {
      for (const group of Object.values(edges).flatMap((events) => Object.values(events))) {
        const conditions = Object.values(group ?? {})
        expect(conditions.length).toBeGreaterThan(0)
        if (conditions.length === 1) expect(conditions).toEqual(["always"])
        else expect(conditions).not.toContain("always")
        expect(new Set(conditions).size).toBe(conditions.length)
        expect(conditions).not.toContain("")
      }
    })

    it.effect("every target of the table is reached", () =>
      Effect.gen(function* () {
        const stated = Object.entries(edges).flatMap(([from, to]) =>
          Object.entries(to).flatMap(([event, group = {}]) =>
            Object.keys(group).map((target) => `${from} ${event} ${target}`)
          )
        )
        const reached = new Set<string>()
        const sampled = yield* Arbitrary.sampleEffect(drawn, { count: 20_000, seed: "edges" })
        for (const { event, now, state } of [...directed, ...sampled]) {
          const next = machine.step(state, event, now)
          // A stale event is not in the table.
          if (Result.isFailure(next) || machine.isStale(state, event)) continue
          reached.add(`${state._tag} ${event._tag} ${next.success.state._tag}`)
        }
        expect([...reached].sort()).toEqual(stated.sort())
      })
    )

    it.prop(
      "step is pure: the same input gives the same result, and is left as it was",
      [drawn],
      ([{ event, now, state }]) => {
        const before = reveal({ state, event })
        const first = machine.step(freeze(state), freeze(event), now)
        const second = machine.step(state, event, now)
        expect(reveal(second)).toEqual(reveal(first))
        expect(reveal({ state, event })).toEqual(before)
      },
      arbitrary
    )

    it.prop(
      "neither states nor commands show a secret",
      [drawn],
      ([{ event, now, state }]) => {
        const next = machine.step(withSecret(state, plainText), withSecret(event, plainText), now)
        expect(JSON.stringify(next)).not.toContain(plainText)
        expect(inspect(next, { depth: 9, showHidden: true })).not.toContain(plainText)
      },
      arbitrary
    )
  })
}
