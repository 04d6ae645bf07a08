/**
 * State machines as data: a table of legal edges, and one pure function.
 *
 * A machine's file states its edges (`state x event -> target -> condition`) and one handler for each edge group. The
 * types of the handlers are derived from the table, so a handler that is missing, superfluous, or that could reach a
 * target outside the table does not compile. The documentation is drawn from the same table. `step` does not read it, so
 * that bundles leave it out.
 *
 * `step` performs nothing: it takes the time as an argument and returns the next state and the commands that the shell
 * carries out. A stale event, which concerns something the state has moved on from, changes nothing. An event without an
 * edge in the current state is an `IllegalTransition` and changes nothing.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

/**
 * Anything with a `_tag`: a state, an event or a command.
 *
 * @since 0.1.0
 */
export interface Tagged {
  readonly _tag: string
}

/**
 * The legal edges: for each state and event, the possible next states and the condition of each, in words.
 *
 * @since 0.1.0
 */
export type Edges<S extends string, E extends string> = {
  readonly [State in S]: { readonly [Event in E]?: { readonly [Target in S]?: string } }
}

/**
 * The result of a step. The shell stores `state` before it carries out `commands`, in order.
 *
 * @since 0.1.0
 */
export interface Next<S, C> {
  readonly state: S
  readonly commands: ReadonlyArray<C>
}

/**
 * An event for which the state has no edge.
 *
 * @since 0.1.0
 */
export interface IllegalTransition {
  readonly machine: string
  readonly state: string
  readonly event: string
}

type Member<Union extends Tagged, Tag> = Extract<Union, { readonly _tag: Tag }>

type Targets<T, S, E> = S extends keyof T ? (E extends keyof T[S] ? keyof T[S][E] : never) : never

/**
 * One handler for each edge group of the table.
 *
 * @since 0.1.0
 */
export type Handlers<S extends Tagged, E extends Tagged, C, T> = {
  readonly [State in S["_tag"] & keyof T]: {
    readonly [Event in E["_tag"] & keyof T[State]]: (
      state: Member<S, State>,
      event: Member<E, Event>,
      now: number
    ) => Next<Member<S, Targets<T, State, Event>>, C>
  }
}

/**
 * A state machine.
 *
 * @since 0.1.0
 */
export interface Machine<S extends Tagged, E extends Tagged, C extends Tagged> {
  /** The name in errors, events and diagrams. */
  readonly name: string
  /** True if the event concerns something that the state has moved on from. */
  readonly isStale: (state: S, event: E) => boolean
  /**
   * Returns the next state and commands, or the illegal transition.
   *
   * @param now milliseconds since the epoch
   */
  readonly step: (state: S, event: E, now: number) => Result.Result<Next<S, C>, IllegalTransition>
}

/**
 * Makes a machine from its handlers. Give the types of its states, events and commands, and of its table.
 *
 * @example
 * ```ts
 * import * as Machine from "@zapier-workflow-auth/core/machine/Machine"
 * import * as Result from "effect/Result"
 *
 * type Door = { _tag: "Open" } | { _tag: "Shut" }
 * type Push = { _tag: "Pushed" }
 *
 * const edges = { Open: { Pushed: { Shut: "always" } }, Shut: {} } as const
 *
 * const door = Machine.make<Door, Push, never, typeof edges>({
 *   name: "Door",
 *   on: { Open: { Pushed: () => ({ state: { _tag: "Shut" }, commands: [] }) }, Shut: {} }
 * })
 *
 * door.step({ _tag: "Open" }, { _tag: "Pushed" }, 0) // => Result.succeed({ state: { _tag: "Shut" }, commands: [] })
 *
 * // A shut door has no edge for Pushed.
 * Result.isFailure(door.step({ _tag: "Shut" }, { _tag: "Pushed" }, 0)) // => true
 * ```
 *
 * @since 0.1.0
 */
export const make = <
  S extends Tagged,
  E extends Tagged,
  C extends Tagged,
  T extends Edges<S["_tag"], E["_tag"]>
>(options: {
  readonly name: string
  /** True for events to drop before the handlers see them. Default: none. */
  readonly isStale?: (state: S, event: E) => boolean
  readonly on: Handlers<S, E, C, T>
}): Machine<S, E, C> => {
  const isStale = options.isStale ?? (() => false)
  // The mapped type checks each handler against its edge, but cannot prove the lookup by two run-time tags.
  const handlers = options.on as unknown as {
    readonly [state: string]: { readonly [event: string]: (state: S, event: E, now: number) => Next<S, C> }
  }
  return {
    name: options.name,
    isStale,
    step: (state, event, now) => {
      if (isStale(state, event)) return Result.succeed(next(state))
      const events = Object.hasOwn(handlers, state._tag) ? handlers[state._tag] : undefined
      const handler = events !== undefined && Object.hasOwn(events, event._tag) ? events[event._tag] : undefined
      return handler === undefined
        ? Result.fail({ machine: options.name, state: state._tag, event: event._tag })
        : Result.succeed(handler(state, event, now))
    }
  }
}

/**
 * Makes a handler's result: a state, and the commands to carry out once it is stored.
 *
 * @since 0.1.0
 */
export const next = <S, C = never>(state: S, ...commands: ReadonlyArray<C>): Next<S, C> => ({ state, commands })

interface Table {
  readonly [state: string]: { readonly [event: string]: { readonly [target: string]: string } | undefined }
}

// One row for each edge.
const rows = (edges: Table) =>
  Object.entries(edges).flatMap(([from, events]) =>
    Object.entries(events).flatMap(([event, targets = {}]) =>
      Object.entries(targets).map(([to, condition]) => ({ from, event, to, condition }))
    )
  )

/**
 * Renders the table as a Mermaid state diagram.
 *
 * @param initial the first state
 *
 * @since 0.1.0
 */
export const toMermaid = (initial: string, edges: Table): string => {
  const labels = new Map<string, Array<string>>()
  for (const { condition, event, from, to } of rows(edges)) {
    const edge = `${from} --> ${to}`
    labels.set(edge, [...(labels.get(edge) ?? []), condition === "always" ? event : `${event} [${condition}]`])
  }
  return [
    "stateDiagram-v2",
    `  [*] --> ${initial}`,
    ...[...labels].map(([edge, events]) => `  ${edge}: ${events.join("<br>")}`)
  ].join("\n")
}

/**
 * Renders the table as Markdown: state, event, next state, condition.
 *
 * @since 0.1.0
 */
export const toMarkdown = (edges: Table): string =>
  [
    "| state | event | next state | when |",
    "| --- | --- | --- | --- |",
    ...rows(edges).map(({ condition, event, from, to }) => `| ${from} | ${event} | ${to} | ${condition} |`)
  ].join("\n")
