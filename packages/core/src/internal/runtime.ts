/**
 * Runs drivers, one for each key with work in progress: performs their outputs, and feeds the results back as inputs. It
 * decides nothing.
 *
 * A driver's step is one synchronous call, so that no interruption can come between. Outputs run in the runtime's own
 * context, not in that of the first caller, so that neither a caller's interruption nor its services affect others.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as AuthMetrics from "../AuthMetrics.ts"
import type * as Driver from "../machine/Driver.ts"
import * as DriverState from "../machine/DriverState.ts"
import type * as Machine from "../machine/Machine.ts"
import type * as Tokens from "../oauth/Tokens.ts"
import type { StoreError, Versioned } from "../store/VersionedStore.ts"
import { StoreFailed, ZapierAuthError } from "../ZapierAuthError.ts"
import * as Defects from "./defects.ts"
import * as OwnSpan from "./ownSpan.ts"
import * as QuietTracer from "./quietTracer.ts"

interface Change<S, E> {
  readonly from: S
  readonly event: E
  readonly to: S
}

interface Options<S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged, R, O> {
  /** `others`: how many keys have work in progress. */
  readonly driver: (key: string, others: number) => Driver.Driver<S, E, C, R, O>
  readonly get: (key: string) => Effect.Effect<Option.Option<Versioned<NoInfer<S>>>, StoreError>
  readonly set: (key: string, expected: number | undefined, state: NoInfer<S>) => Effect.Effect<boolean, StoreError>
  /** Sends a request, unless `until` (elapsed) has passed. */
  readonly send: (request: R, until: number, key: string) => Effect.Effect<O | DriverState.DriverOutcome>
  /** Called when a change is stored. */
  readonly changed: (key: string, change: Change<NoInfer<S>, NoInfer<E>>, at: number) => void
  /** How many access tokens are kept in memory. */
  readonly memoryCapacity: number
}

interface Entry<S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged, R, O> {
  readonly key: string
  readonly driver: Driver.Driver<S, E, C, R, O>
  state: DriverState.State<S, E, C, R>
  readonly inputs: Array<DriverState.Input<S, E, O>>
  isStepping: boolean
  readonly callers: Map<
    number,
    { readonly reply: (reply: DriverState.Reply<S>) => void; readonly span: Tracer.AnySpan | undefined }
  >
  readonly operations: Map<number, Fiber.Fiber<unknown>>
  timer: { readonly at: number; readonly fiber: Fiber.Fiber<unknown> } | undefined
  /** The span of the open request. */
  request: Tracer.Span | undefined
  /** Called when nothing is in progress any more. */
  readonly onRetired: Set<() => void>
}

// Links a caller's span to the request that it waits for.
const link = (from: Tracer.AnySpan | undefined, span: Tracer.Span) => {
  if (from?._tag === "Span") from.addLinks([{ span, attributes: {} }])
}

const versionOf = (reason: StoreError) => (reason._tag === "DecryptionFailed" ? reason.version : undefined)

export const make = Effect.fnUntraced(function* <
  S extends Machine.Tagged,
  E extends Machine.Tagged,
  C extends Machine.Tagged,
  R,
  O
>(options: Options<S, E, C, R, O>) {
  type Running = Entry<S, E, C, R, O>
  const context = yield* Effect.context()
  const clock = yield* Clock.Clock
  const run = Effect.runForkWith(context)
  const running = new Map<string, Running>()
  /** The knowledge of keys without work in progress. The one whose record was read longest ago is first. */
  const idle = new Map<string, Pick<Running["state"], "memory" | "dead" | "store">>()
  let callers = 0
  let onQuiet: (() => void) | undefined
  let isClosing = false

  const elapsed = () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6

  const perform = (entry: Running, id: number, effect: Effect.Effect<DriverState.Input<S, E, O>>) => {
    const fiber = run(effect)
    entry.operations.set(id, fiber)
    fiber.addObserver((exit) => {
      entry.operations.delete(id)
      if (Exit.isSuccess(exit)) feed(entry, exit.value)
    })
  }

  const isTraced = QuietTracer.isSeen(Context.get(context, Tracer.Tracer))

  // Runs a request in a span of its own, to which its callers' spans are linked.
  const linked = <A>(entry: Running, request: Effect.Effect<A>): Effect.Effect<A> =>
    isTraced
      ? Effect.useSpan(`${entry.driver.driven.machine.name}.request`, { root: true }, (span) => {
          entry.request = span
          for (const caller of entry.callers.values()) link(caller.span, span)
          return Effect.withParentSpan(request, span, OwnSpan.withoutStack)
        }).pipe(Effect.ensuring(Effect.sync(() => void (entry.request = undefined))))
      : request

  // A store that throws counts as failed.
  const storeFailed = (
    store: string,
    id: number,
    cause: Cause.Cause<StoreError>
  ): Effect.Effect<DriverState.Input<S, E, O>> => {
    const failure = Cause.findErrorOption(cause)
    if (Option.isSome(failure)) {
      const reason = failure.value
      return Effect.succeed({ _tag: "StoreFailed", id, reason, version: versionOf(reason) })
    }
    const problem = `it threw ${Defects.nameOf(Cause.squash(cause))}`
    const reason = new StoreFailed({ store, operation: "respond", problem })
    return Effect.as(Effect.logError(reason.message), { _tag: "StoreFailed", id, reason })
  }

  const output = (entry: Running, out: DriverState.Output<S, E, R>) => {
    const { key } = entry
    const { machine, none, store } = entry.driver.driven
    switch (out._tag) {
      case "Load":
        return perform(
          entry,
          out.id,
          Effect.matchCauseEffect(
            Effect.suspend(() => options.get(key)),
            {
              onFailure: (cause) => storeFailed(store, out.id, cause),
              onSuccess: (record) =>
                Effect.succeed({
                  _tag: "Loaded",
                  id: out.id,
                  state: Option.match(record, { onNone: () => none, onSome: ({ value }) => value }),
                  version: Option.getOrUndefined(Option.map(record, ({ version }) => version))
                } as const)
            }
          )
        )
      case "Save":
        return perform(
          entry,
          out.id,
          Effect.matchCauseEffect(
            Effect.suspend(() => options.set(key, out.expected, out.state)),
            {
              onFailure: (cause) => storeFailed(store, out.id, cause),
              onSuccess: (isDone) => Effect.succeed({ _tag: isDone ? "Saved" : "Conflicted", id: out.id } as const)
            }
          )
        )
      case "Send":
        return perform(
          entry,
          out.id,
          linked(
            entry,
            Effect.suspend(() => options.send(out.request, out.until, key))
          ).pipe(
            // After a defect it is unknown whether the request was sent, as after a crash.
            Effect.catchCause(() => Effect.succeed<DriverState.DriverOutcome>({ _tag: "NoResponse" })),
            Effect.map((outcome) => ({ _tag: "Responded", id: out.id, outcome }) as const)
          )
        )
      case "Abandon":
        return entry.operations.get(out.id)?.interruptUnsafe()
      case "Reply":
        for (const caller of out.callers) {
          const waiting = entry.callers.get(caller)
          entry.callers.delete(caller)
          waiting?.reply(out.reply)
        }
        return
      case "Publish":
        return options.changed(key, out, clock.currentTimeMillisUnsafe())
      case "Count":
        AuthMetrics.countUnsafe[out.what]({ machine: machine.name }, context)
    }
  }

  const wakeLater = (entry: Running) => {
    const at = DriverState.wakeAt(entry.state)
    if (entry.timer !== undefined && entry.timer.at <= at) return
    entry.timer?.fiber.interruptUnsafe()
    entry.timer = undefined
    if (at === Infinity) return
    const wake = Effect.sync(() => {
      entry.timer = undefined
      if (DriverState.wakeAt(entry.state) <= elapsed()) feed(entry, { _tag: "Woken" })
      else wakeLater(entry)
    })
    entry.timer = { at, fiber: run(Effect.andThen(Effect.sleep(Math.max(0, Math.ceil(at - elapsed()))), wake)) }
  }

  const retire = ({ key, onRetired, state: { dead, memory, store }, timer }: Running) => {
    running.delete(key)
    timer?.fiber.interruptUnsafe()
    if (memory !== undefined || dead.length > 0) {
      idle.set(key, { memory, dead, store })
      const [oldest] = idle.keys()
      if (idle.size > options.memoryCapacity && oldest !== undefined) idle.delete(oldest)
    }
    for (const tell of onRetired) tell()
    if (running.size === 0) onQuiet?.()
  }

  function feed(entry: Running, input: DriverState.Input<S, E, O>) {
    // An abandoned operation may end later than its driver.
    if (running.get(entry.key) !== entry) return
    entry.inputs.push(input)
    if (entry.isStepping) return
    entry.isStepping = true
    for (let next = entry.inputs.shift(); next !== undefined; next = entry.inputs.shift()) {
      const now = { wall: clock.currentTimeMillisUnsafe(), elapsed: elapsed() }
      const { outputs, state } = entry.driver.step(entry.state, next, now)
      entry.state = state
      for (const out of outputs) output(entry, out)
    }
    entry.isStepping = false
    if (DriverState.isBusy(entry.state)) wakeLater(entry)
    else retire(entry)
  }

  const entryOf = (key: string): Running => {
    const found = running.get(key)
    if (found !== undefined) return found
    const driver = options.driver(key, running.size)
    const entry: Running = {
      key,
      driver,
      state: { ...driver.initial, ...idle.get(key) },
      inputs: [],
      isStepping: false,
      callers: new Map(),
      operations: new Map(),
      timer: undefined,
      request: undefined,
      onRetired: new Set()
    }
    idle.delete(key)
    running.set(key, entry)
    if (isClosing) entry.inputs.push({ _tag: "Closing" })
    return entry
  }

  const ask = (
    key: string,
    input: (caller: number) => DriverState.Input<S, E, O>
  ): Effect.Effect<Extract<DriverState.Reply<S>, { readonly _tag: "Access" | "Done" }>, ZapierAuthError> =>
    Effect.withFiber((fiber) =>
      Effect.callback((resume) => {
        const caller = callers++
        const entry = entryOf(key)
        const span = Option.getOrUndefined(Context.getOption(fiber.context, Tracer.ParentSpan))
        if (entry.request !== undefined) link(span, entry.request)
        entry.callers.set(caller, {
          reply: (reply) =>
            resume(reply._tag === "Failed" ? Effect.fail(ZapierAuthError.make(reply.reason)) : Effect.succeed(reply)),
          span
        })
        feed(entry, input(caller))
        return Effect.sync(() => {
          if (entry.callers.delete(caller)) feed(entry, { _tag: "Left", caller })
        })
      })
    )

  // The token that memory can provide at once.
  const known = (key: string) => {
    if (isClosing) return undefined
    const wall = clock.currentTimeMillisUnsafe()
    const kept = idle.get(key)
    if (kept !== undefined) return DriverState.peek(kept, wall)
    const entry = running.get(key)
    // An unprocessed input may be a disconnect.
    if (entry === undefined || entry.inputs.length > 0) return undefined
    return DriverState.peek(entry.state, wall)
  }

  const access = (key: string, unusable: Tokens.UsableAccess | undefined) =>
    Effect.flatMap(
      ask(key, (caller) => ({ _tag: "Asked", caller, unusable })),
      (reply) =>
        reply._tag === "Access" ? Effect.succeed(reply.access) : Effect.die(new Error("a demand ends with access"))
    )

  return {
    /** Begins nothing new, and completes when nothing is in progress. */
    close: Effect.callback<void>((resume) => {
      isClosing = true
      onQuiet = () => resume(Effect.void)
      for (const entry of running.values()) feed(entry, { _tag: "Closing" })
      if (running.size === 0) onQuiet()
    }),
    /** True while nothing is in progress. */
    isSettled: () => running.size === 0,
    /** Completes when everything now in progress has ended. */
    settled: Effect.callback<void>((resume) => {
      const waited = new Map<Running, () => void>()
      for (const entry of running.values()) {
        const tell = () => {
          waited.delete(entry)
          if (waited.size === 0) resume(Effect.void)
        }
        waited.set(entry, tell)
        entry.onRetired.add(tell)
      }
      if (waited.size === 0) resume(Effect.void)
      return Effect.sync(() => waited.forEach((tell, entry) => entry.onRetired.delete(tell)))
    }),
    /** The access token in memory, if it may be used without reading the store. */
    known,
    /** Returns an access token, from memory if possible. `check` validates the key, unless memory has it already. */
    get: (
      key: string,
      check?: (key: string) => ZapierAuthError | undefined
    ): Effect.Effect<Tokens.UsableAccess, ZapierAuthError> =>
      Effect.suspend(() => {
        const found = known(key)
        if (found !== undefined) return Effect.succeed(found)
        const wrong = check?.(key)
        return wrong === undefined ? access(key, undefined) : Effect.fail(wrong)
      }),
    /** Returns another access token after the API has rejected the given one. */
    getOther: access,
    /** Reports that a call succeeded with the token. */
    accept: (key: string, access: DriverState.Id) =>
      Effect.sync(() => {
        const memory = (running.get(key)?.state ?? idle.get(key))?.memory
        if (memory?.isProven === false) feed(entryOf(key), { _tag: "Accepted", access })
      }),
    /** Records an event and returns the previous state, unless that could not be read. */
    bring: (
      key: string,
      event: E,
      { isRemoval = false, isRetried = false }: { readonly isRemoval?: boolean; readonly isRetried?: boolean } = {}
    ): Effect.Effect<S | undefined, ZapierAuthError> =>
      Effect.map(
        ask(key, (caller) => ({ _tag: "Brought", caller, event, isRemoval, isRetried })),
        (reply) => (reply._tag === "Done" ? reply.before : undefined)
      )
  }
})

export type Runtime<S extends Machine.Tagged, E extends Machine.Tagged> = Effect.Success<
  ReturnType<typeof make<S, E, Machine.Tagged, unknown, unknown>>
>
