import { describe, expect, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as AppCredential from "../../src/machine/AppCredential.ts"
import * as ClientId from "../../src/machine/ClientId.ts"
import * as ConsentAttempt from "../../src/machine/ConsentAttempt.ts"
import * as Machine from "../../src/machine/Machine.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"

type Open = { readonly _tag: "Open"; readonly since: number }
type Shut = { readonly _tag: "Shut" }
type Locked = { readonly _tag: "Locked" }
type Door = Open | Shut | Locked
type Pushed = { readonly _tag: "Pushed" }
type Turned = { readonly _tag: "Turned"; readonly key: string }
type Act = Pushed | Turned
type Click = { readonly _tag: "Click"; readonly key: string }

const { next } = Machine

const shut: Shut = { _tag: "Shut" }
const locked: Locked = { _tag: "Locked" }

const edges = {
  Open: { Pushed: { Shut: "always" } },
  Shut: { Pushed: { Open: "always" }, Turned: { Locked: "always" } },
  Locked: { Turned: { Shut: "the key is right", Locked: "else" } }
} as const

type Table = typeof edges

const on: Machine.Handlers<Door, Act, Click, Table> = {
  Open: { Pushed: () => next(shut) },
  Shut: {
    Pushed: (_state, _event, now) => next({ _tag: "Open", since: now }),
    Turned: (_, { key }) => next(locked, { _tag: "Click", key })
  },
  Locked: {
    Turned: (state, { key }) => (key === "right" ? next(shut, { _tag: "Click", key }) : next(state))
  }
}

const options = { name: "Door", on } as const
const door = Machine.make<Door, Act, Click, Table>(options)

describe("Machine.step", () => {
  it("passes the state, the event and the time to the handler, and returns its result", () => {
    expect(door.step(shut, { _tag: "Pushed" }, 42)).toEqual(
      Result.succeed({ state: { _tag: "Open", since: 42 }, commands: [] })
    )
    expect(door.step(locked, { _tag: "Turned", key: "right" }, 42)).toEqual(
      Result.succeed({ state: shut, commands: [{ _tag: "Click", key: "right" }] })
    )
    expect(door.step(locked, { _tag: "Turned", key: "wrong" }, 42)).toEqual(
      Result.succeed({ state: locked, commands: [] })
    )
  })

  it("an event without an edge fails with machine, state and event, and changes nothing", () => {
    const open: Open = Object.freeze({ _tag: "Open", since: 7 })
    const event: Turned = Object.freeze({ _tag: "Turned", key: "right" })
    expect(door.step(open, event, 42)).toEqual(Result.fail({ machine: "Door", state: "Open", event: "Turned" }))
    expect(door.step(locked, { _tag: "Pushed" }, 42)).toEqual(
      Result.fail({ machine: "Door", state: "Locked", event: "Pushed" })
    )
    expect(open).toEqual({ _tag: "Open", since: 7 })
  })

  it("a state or an event that the machine does not know is illegal, too", () => {
    const step = door.step as (state: Machine.Tagged, event: Machine.Tagged, now: number) => unknown
    expect(step({ _tag: "Ajar" }, { _tag: "Pushed" }, 42)).toEqual(
      Result.fail({ machine: "Door", state: "Ajar", event: "Pushed" })
    )
    expect(step(shut, { _tag: "Kicked" }, 42)).toEqual(Result.fail({ machine: "Door", state: "Shut", event: "Kicked" }))
  })

  it("keeps its name", () => {
    expect(door.name).toBe("Door")
  })
})

describe("Machine.make: isStale", () => {
  const { Shut: _, ...rest } = on
  const asked: Array<ReadonlyArray<unknown>> = []
  const worn = Machine.make<Door, Act, Click, Table>({
    ...options,
    on: {
      ...rest,
      Shut: {
        Pushed: () => {
          throw new Error("a stale event reached its handler")
        },
        Turned: on.Shut.Turned
      }
    },
    isStale: (state, event) => {
      asked.push([state, event])
      return event._tag === "Pushed"
    }
  })

  it("drops a stale event before its handler sees it: the very same state, and no commands", () => {
    const result = worn.step(shut, { _tag: "Pushed" }, 42)
    expect(result).toEqual(Result.succeed({ state: shut, commands: [] }))
    expect(Result.getOrThrow(result).state).toBe(shut)
    expect(asked.at(-1)).toEqual([shut, { _tag: "Pushed" }])
  })

  it("drops a stale event also where the table has no edge for it", () => {
    expect(worn.step(locked, { _tag: "Pushed" }, 42)).toEqual(Result.succeed({ state: locked, commands: [] }))
  })

  it("leaves other events to the table, legal or not", () => {
    expect(worn.step(shut, { _tag: "Turned", key: "right" }, 42)).toEqual(
      Result.succeed({ state: locked, commands: [{ _tag: "Click", key: "right" }] })
    )
    expect(worn.step({ _tag: "Open", since: 0 }, { _tag: "Turned", key: "right" }, 42)).toEqual(
      Result.fail({ machine: "Door", state: "Open", event: "Turned" })
    )
  })

  it("is part of the machine, and says no where it is not given", () => {
    expect(worn.isStale(shut, { _tag: "Pushed" })).toBe(true)
    expect(worn.isStale(shut, { _tag: "Turned", key: "right" })).toBe(false)
    expect(door.isStale(shut, { _tag: "Pushed" })).toBe(false)
  })
})

describe("Machine.next", () => {
  it("keeps the commands in order", () => {
    expect(next("state", "first", "second")).toEqual({ state: "state", commands: ["first", "second"] })
    expect(next("state")).toEqual({ state: "state", commands: [] })
  })
})

// Two events lead from A to B, one of them on a condition, and C has no edges.
const drawn = {
  A: { First: { B: "always" }, Second: { A: "it is early", B: "else" }, None: undefined },
  B: { First: { B: "always" }, Second: {} },
  C: {}
} as const

describe("Machine.toMermaid", () => {
  it("draws the initial state and each edge once, labelled with its event and condition", () => {
    expect(Machine.toMermaid("Open", edges)).toBe(
      [
        "stateDiagram-v2",
        "  [*] --> Open",
        "  Open --> Shut: Pushed",
        "  Shut --> Open: Pushed",
        "  Shut --> Locked: Turned",
        "  Locked --> Shut: Turned [the key is right]",
        "  Locked --> Locked: Turned [else]"
      ].join("\n")
    )
  })

  it("names all events of an edge on a line each, in the table's order", () => {
    expect(Machine.toMermaid("A", drawn).split("\n").slice(2)).toEqual([
      "  A --> B: First<br>Second [else]",
      "  A --> A: Second [it is early]",
      "  B --> B: First"
    ])
  })
})

describe("Machine.toMarkdown", () => {
  it("has a row for each target, in the table's order", () => {
    expect(Machine.toMarkdown(drawn)).toBe(
      [
        "| state | event | next state | when |",
        "| --- | --- | --- | --- |",
        "| A | First | B | always |",
        "| A | Second | A | it is early |",
        "| A | Second | B | else |",
        "| B | First | B | always |"
      ].join("\n")
    )
  })

  it("takes a machine's table as it is", () => {
    expect(Machine.toMarkdown(edges).split("\n").slice(-2)).toEqual([
      "| Locked | Turned | Shut | the key is right |",
      "| Locked | Turned | Locked | else |"
    ])
  })
})

// None of these compiles; the compiler is the test.
describe("Machine.make: types", () => {
  const make = Machine.make<Door, Act, Click, Table>

  it("a handler for each edge is needed", () => {
    expect(() => {
      // @ts-expect-error Locked has an edge for Turned
      make({ ...options, on: { ...on, Locked: {} } })
      // @ts-expect-error Locked has edges
      make({ ...options, on: { Open: on.Open, Shut: on.Shut } })
    }).not.toThrow()
  })

  it("a handler without an edge is refused", () => {
    expect(() => {
      // @ts-expect-error Open has no edge for Turned
      make({ name: "Door", on: { ...on, Open: { ...on.Open, Turned: () => next(shut) } } })
      make({
        name: "Door",
        on: {
          Open: {
            Pushed: () => next(shut),
            // @ts-expect-error Open has no edge for Turned
            Turned: () => next(shut)
          },
          Shut: on.Shut,
          Locked: on.Locked
        }
      })
    }).not.toThrow()
  })

  it("a target outside the table is refused", () => {
    expect(() => {
      make({
        ...options,
        on: {
          ...on,
          Open: {
            // @ts-expect-error Pushed does not lock an open door
            Pushed: () => next(locked)
          }
        }
      })
    }).not.toThrow()
  })

  it("a command of another machine is refused", () => {
    expect(() => {
      make({
        ...options,
        on: {
          ...on,
          Open: {
            // @ts-expect-error there is no such command
            Pushed: () => next(shut, { _tag: "Bang" })
          }
        }
      })
    }).not.toThrow()
  })

  it("a table with unknown states or events is refused", () => {
    const refused = [
      // @ts-expect-error there is no state Ajar
      Machine.make<Door, Act, Click, { Open: { Pushed: { Ajar: "always" } }; Shut: {}; Locked: {} }>,
      // @ts-expect-error a target has its condition in words
      Machine.make<Door, Act, Click, { Open: { Pushed: { Shut: true } }; Shut: {}; Locked: {} }>,
      // @ts-expect-error Locked is missing in the table
      Machine.make<Door, Act, Click, { Open: {}; Shut: {} }>
    ]
    expect(refused).toHaveLength(3)
    const makeIdle = Machine.make<Door, Act, Click, Omit<Table, "Open"> & { Open: { Pushed: {} } }>
    // @ts-expect-error Pushed shuts an open door, and the table has no target for it
    expect(() => makeIdle(options)).not.toThrow()
  })

  it("a step takes states and events of its machine only", () => {
    // @ts-expect-error there is no event Kicked
    expect(Result.isFailure(door.step(shut, { _tag: "Kicked" }, 0))).toBe(true)
  })

  // Events, logs and metrics tell machines apart by it.
  it("the library's machines are called as their modules are", () => {
    const settings = { responseTimeout: 1, expiryMargin: 0 }
    const names = [
      UserGrant.machine(settings),
      AppCredential.machine(settings),
      ConsentAttempt.machine,
      ClientId.machine
    ]
    expect(names.map(({ name }) => name)).toEqual(["UserGrant", "AppCredential", "ConsentAttempt", "ClientId"])
  })

  it.each(["toString", "constructor", "__proto__"])("%s is no event, and no state", (name) => {
    expect(Result.isFailure(door.step(shut, { _tag: name } as never, 0))).toBe(true)
    expect(Result.isFailure(door.step({ _tag: name } as never, { _tag: "Pushed" }, 0))).toBe(true)
  })
})
