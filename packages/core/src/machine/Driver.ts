/**
 * The whole client of one key in one process, as one pure function. A key is one user's grant, one consent attempt, or the
 * app's own token for one set of scopes.
 *
 * **Theory of operation**
 *
 * A driver steps a machine over a record that other processes change too. It loads the record, steps the machine, saves the
 * result by compare-and-set, and only then carries out the commands: a claim is stored before its request is sent. Only an
 * access token with time left is handed out before the write: it is good whether or not the claim is stored. Beside the
 * record it holds the process's own knowledge, in regions that change independently:
 *
 * - `store`: one operation at a time, for one task. `Idle`, `Loading`, `Saving`, or `Backoff` before a retry.
 * - `request`: at most one open request. Its response is accepted until `until`, even after the owner has lost its lease.
 * - `callers`: each waiting caller, with its deadline and whether the current load began after it came.
 * - `inbox`: events that must reach the record, first in, first out, before any caller's demand. Outcomes of requests are
 *   retried until stored; an event from a caller is tried once.
 * - `memory`: the access token that is handed out without a step.
 * - `dead`: access tokens that the API has rejected, but that the record does not yet mark as rejected. They are never
 *   handed out again.
 *
 * `step` takes an input and the time, and returns the next state and the outputs to perform, in order. The outcome of an
 * operation carries its `id`; outcomes of abandoned operations are dropped here and nowhere else.
 *
 * **Time.** `wall` is the time in the record, `elapsed` the time by which this process waits. The wake-up time is derived
 * from the state (`DriverState.wakeAt`) and never stored, so that no timer can be stale. Once a deadline has passed, I/O
 * gets its turn first, for a moment (`grace`): a process that was paused has its response in the socket when its timers
 * fire.
 *
 * **Table.** `DriverState.edges` has the edges of `store`. `table` handles the outcome of an operation in each of its
 * states; all other inputs mean the same in every state. After each input, `advance` decides the next operation.
 *
 * Models: `Ready` of etcd's raft (save before send), `poll_timeout` of quinn-proto (timers are data).
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Tokens from "../oauth/Tokens.ts"
import { Closed, IllegalTransition, type Reason, StoreFailed } from "../ZapierAuthError.ts"
import * as DriverState from "./DriverState.ts"
import type {
  Caller,
  Delivery,
  Driven,
  Id,
  Input,
  Now,
  Output,
  Reply,
  Request,
  Settings,
  State,
  Store,
  Task,
  DriverOutcome
} from "./DriverState.ts"
import * as Lease from "./Lease.ts"
import type * as Machine from "./Machine.ts"

// Milliseconds between a waiter's looks at another's lease: doubled each time.
const firstPoll = 50
const slowestPoll = 1_000

// Milliseconds before a failed write is retried: doubled each time.
const firstBackoff = 100
const slowestBackoff = 1_000

// The number of conflicts in a row after which a process backs off.
const busyFrom = 3

// How long an event is kept for an unreadable record, in milliseconds.
const unreadablePatience = 60_000

// Milliseconds by which a timer may be late in a busy process; later means that the process was paused.
const longestDelay = 1_000

/**
 * How long closing waits for a failing store, in milliseconds.
 *
 * @since 0.1.0
 */
export const closingPatience = 10_000

/**
 * The driver of a machine.
 *
 * @since 0.1.0
 */
export interface Driver<S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged, R, O> {
  readonly driven: Driven<S, E, C, R, O>
  readonly initial: State<S, E, C, R>
  /** Returns the next state, and the outputs to perform in order. */
  readonly step: (
    state: State<S, E, C, R>,
    input: Input<S, E, O>,
    now: Now
  ) => { readonly state: State<S, E, C, R>; readonly outputs: ReadonlyArray<Output<S, E, R>> }
}

/**
 * Makes the driver of a machine.
 *
 * @since 0.1.0
 */
export const make = <S extends Machine.Tagged, E extends Machine.Tagged, C extends Machine.Tagged, R, O>(
  driven: Driven<S, E, C, R, O>,
  settings: Settings
): Driver<S, E, C, R, O> => {
  type Held = State<S, E, C, R>
  type Out = Output<S, E, R>
  type Step = readonly [Held, ReadonlyArray<Out>]
  type Of<Tag extends Input<S, E, O>["_tag"]> = Extract<Input<S, E, O>, { readonly _tag: Tag }>
  type In<Tag extends Store<S, E, C>["_tag"]> = Extract<Store<S, E, C>, { readonly _tag: Tag }>

  const { owner } = settings
  const silent = StoreFailed.silent(driven.store, settings.storeTimeout)
  const pending = driven.pending(Duration.millis(settings.requestTimeout))
  const failed = (reason: Reason): Reply<S> => ({ _tag: "Failed", reason })

  // ---------------------------------------------------------------------------
  // Callers
  // ---------------------------------------------------------------------------

  const reply = (state: Held, given: Reply<S>, which: (caller: Caller) => boolean): Step => {
    const callers = state.callers.filter(which).map(({ id }) => id)
    if (callers.length === 0) return [state, []]
    const rest = state.callers.filter((caller) => !which(caller))
    return [{ ...state, callers: rest }, [{ _tag: "Reply", callers, reply: given }]]
  }

  // The callers that a task ends for: the one who brought its event, or all for whom the record was loaded.
  const concerned =
    (task: Task<S, E>) =>
    (caller: Caller): boolean =>
      task._tag === "Delivery" && task.caller !== undefined
        ? caller.id === task.caller
        : DriverState.wantsAccess(caller) && caller.isCovered

  const covered = (state: Held): Held => ({
    ...state,
    callers: state.callers.map((caller) => (caller.isCovered ? caller : { ...caller, isCovered: true }))
  })

  const isAwaited = (state: Held, now: Now) =>
    state.callers.some((caller) => DriverState.wantsAccess(caller) && now.elapsed < caller.until)

  // ---------------------------------------------------------------------------
  // Memory
  // ---------------------------------------------------------------------------

  const isDead = (state: Held, access: Id) => state.dead.some((id) => DriverState.isSame(id, access))

  // Other programs write records too: a token that no header can carry counts as rejected.
  const isUnusable = (state: Held, id: Id, record: S) => {
    const access = driven.accessOf(record)
    return isDead(state, id) || (access !== undefined && !Tokens.isBearable(Redacted.value(access.accessToken)))
  }

  const isRejected = (record: S) => {
    const access = driven.accessOf(record)
    return access === undefined || Tokens.isRejected(access)
  }

  const bury = (state: Held, access: Id | undefined): Held => {
    if (access === undefined || isDead(state, access)) return state
    const { memory: held } = state
    // Memory already has a newer token.
    if (held?.access.family === access.family && held.access.generation > access.generation) return state
    const memory = DriverState.isSame(access, held?.access) ? undefined : held
    return { ...state, memory, dead: [...state.dead, { family: access.family, generation: access.generation }] }
  }

  // A token is not handed out once its grant is about to be removed.
  const isLeaving = (state: Held) => state.inbox.some(({ isRemoval }) => isRemoval)

  const remember = (state: Held, access: Tokens.UsableAccess, until: number, now: Now): Held => {
    const isProven = DriverState.isSame(access, state.memory?.access) && state.memory?.isProven === true
    const asked = Math.min(until, now.wall + settings.memoryLifetime)
    const latest = asked + Math.min(settings.storeTimeout, settings.memoryLifetime)
    return { ...state, memory: { access, since: now.wall, until: asked, latest, isProven } }
  }

  // ---------------------------------------------------------------------------
  // The inbox
  // ---------------------------------------------------------------------------

  const post = (state: Held, delivery: Pick<Delivery<S, E>, "event"> & Partial<Delivery<S, E>>): Held => ({
    ...state,
    inbox: [
      ...state.inbox,
      {
        _tag: "Delivery",
        isRetried: true,
        isRemoval: false,
        caller: undefined,
        failure: undefined,
        decidedOn: undefined,
        ...delivery
      }
    ]
  })

  const conclude = (
    state: Held,
    request: Pick<Request<R>, "about" | "request" | "caller">,
    outcome: O | DriverOutcome,
    again: boolean
  ) => {
    const { about: id, caller } = request
    const { event, failure } = driven.conclude({ id, request: request.request, owner }, outcome, again)
    return post(state, { event, failure, caller })
  }

  // ---------------------------------------------------------------------------
  // A record was loaded or saved: carry out the machine's commands
  // ---------------------------------------------------------------------------

  const carryOut = (
    state: Held,
    task: Task<S, E>,
    record: S,
    commands: ReadonlyArray<C>,
    before: S | undefined,
    now: Now
  ): Step => {
    const outputs: Array<Out> = []
    let s: Held = { ...state, store: { _tag: "Idle" }, pollAt: undefined, polls: 0, trouble: undefined, conflicts: 0 }
    const say = ([next, more]: Step) => {
      s = next
      outputs.push(...more)
    }
    if (task._tag === "Delivery") s = { ...s, inbox: s.inbox.slice(1) }
    const held = driven.idOf(record)
    // Forget rejected tokens that the record now marks as rejected or has replaced.
    if (s.dead.length > 0)
      s = { ...s, dead: s.dead.filter((id) => DriverState.isSame(id, held) && !isRejected(record)) }
    if (s.memory !== undefined && !DriverState.isSame(s.memory.access, held)) s = { ...s, memory: undefined }
    // Abandon a request that the record has moved on from.
    if (s.request !== undefined && !driven.concerns(s.request.about, record)) {
      outputs.push({ _tag: "Abandon", id: s.request.id })
      s = { ...s, request: undefined }
    }
    const orders = commands.map((command) => driven.order(command, now.wall))
    const isRequesting = orders.some(({ _tag }) => _tag === "Send")
    for (const order of orders) {
      switch (order._tag) {
        case "Send": {
          const caller = task._tag === "Delivery" ? task.caller : undefined
          const request = { about: order.about, request: order.request, caller }
          // If the clock has gone back since the claim, the deadline is too far ahead.
          const longest = order.completes === true ? Infinity : settings.responseTimeout
          const left = Math.min(longest, order.deadline - now.wall)
          const isClosing = s.closingSince !== undefined && order.completes !== true
          const isUnasked = task._tag === "Delivery" && caller === undefined && !isAwaited(s, now)
          // Release a claim that is not used.
          if (isClosing || isUnasked || left <= 0 || isLeaving(s)) {
            const reason = isClosing ? new Closed({}) : undefined
            s = conclude(s, request, { _tag: "NotTried", reason }, false)
            break
          }
          const until = now.elapsed + left
          outputs.push({ _tag: "Send", id: s.nextId, request: order.request, until })
          s = {
            ...s,
            request: { ...request, id: s.nextId, until, latest: until + Lease.margin / 2 },
            nextId: s.nextId + 1,
            pollAt: now.elapsed + slowestPoll
          }
          break
        }
        case "Use": {
          // Since the record was loaded, the token was rejected, or removal of the grant was requested.
          if (isDead(s, order.access) || isLeaving(s)) break
          const waited = s.callers.filter(DriverState.wantsAccess)
          const isFound = task._tag === "Demand" && !isRequesting
          if (isFound && waited.length > 0 && (state.polls > 0 || waited.some(({ wasRejected }) => wasRejected))) {
            outputs.push({ _tag: "Count", what: "adoption" })
          }
          s = remember(s, order.access, order.until, now)
          say(reply(s, { _tag: "Access", access: order.access }, DriverState.wantsAccess))
          break
        }
        case "Await": {
          const pause = Math.min(firstPoll * 2 ** state.polls, slowestPoll, order.until - now.wall)
          s = { ...s, pollAt: now.elapsed + Math.max(1, pause), polls: state.polls + 1 }
          outputs.push({ _tag: "Count", what: "wait" })
          break
        }
        case "Tell": {
          if (order.reason === undefined) say(reply(s, { _tag: "Done", before }, concerned(task)))
          else say(reply({ ...s, memory: undefined }, failed(order.reason), concerned(task)))
          break
        }
        case "Report":
          if (task._tag === "Delivery" && task.failure !== undefined)
            say(reply(s, failed(task.failure), concerned(task)))
      }
    }
    // Tell the caller that its event is recorded, unless a request follows.
    if (task._tag === "Delivery" && task.caller !== undefined && !isRequesting) {
      say(reply(s, { _tag: "Done", before }, concerned(task)))
    }
    return [s, outputs]
  }

  // ---------------------------------------------------------------------------
  // The outcome of a store operation, by the state of the store
  // ---------------------------------------------------------------------------

  const eventOf = (state: Held, task: Task<S, E>, record: S): E => {
    if (task._tag === "Delivery") return task.event
    const id = driven.idOf(record)
    return driven.demand(owner, id !== undefined && isUnusable(state, id, record) ? id : undefined)
  }

  const hasMovedOn = (from: S, to: S) => driven.idOf(from)?.family !== driven.idOf(to)?.family

  const save = (
    state: Held,
    task: Task<S, E>,
    event: E,
    from: S | undefined,
    next: Machine.Next<S, C>,
    expected: number | undefined,
    now: Now
  ): Step => {
    const id = state.nextId
    const until = now.elapsed + settings.storeTimeout
    return [
      { ...state, nextId: id + 1, store: { _tag: "Saving", id, task, until, event, from, next } },
      [{ _tag: "Save", id, expected, state: next.state }]
    ]
  }

  // A token with time left is good already: its callers do not wait for the write that claims its refresh.
  const serve = (state: Held, task: Task<S, E>, commands: ReadonlyArray<C>, now: Now): Step => {
    const orders = task._tag === "Demand" ? commands.map((command) => driven.order(command, now.wall)) : []
    for (const order of orders) {
      if (order._tag === "Use" && !isDead(state, order.access)) {
        return reply(state, { _tag: "Access", access: order.access }, DriverState.wantsAccess)
      }
    }
    return [state, []]
  }

  const loaded = (state: Held, { state: record, version }: Of<"Loaded">, now: Now, { task }: In<"Loading">): Step => {
    // Events first: without the outcome of its request, the record looks as if none had been sent.
    if (task._tag === "Demand" && state.inbox.length > 0) return [{ ...state, store: { _tag: "Idle" } }, []]
    // The open request concerns this record: go on listening, and meanwhile use a token that is still valid.
    if (task._tag === "Demand" && state.request !== undefined && driven.concerns(state.request.about, record)) {
      const access = driven.accessOf(record)
      const s: Held = { ...state, store: { _tag: "Idle" }, pollAt: now.elapsed + slowestPoll }
      return access !== undefined && Tokens.isLive(access, now.wall) && !isUnusable(s, access, record)
        ? reply(remember(s, access, access.expiresAt, now), { _tag: "Access", access }, DriverState.wantsAccess)
        : [s, []]
    }
    // A failed write may have been carried out, and then been followed by another consent or a removal: these stand. So does a
    // consent that came before a removal.
    if (task._tag === "Delivery" && task.decidedOn !== undefined && hasMovedOn(task.decidedOn, record)) {
      return carryOut(state, task, record, [], record, now)
    }
    const event = eventOf(state, task, record)
    const stepped = driven.machine.step(record, event, now.wall)
    if (Result.isFailure(stepped)) return storeFailed(state, task, new IllegalTransition(stepped.failure), now)
    const next = stepped.success
    if (next.state === record) return carryOut(state, task, record, next.commands, record, now)
    const [served, replies] = serve(state, task, next.commands, now)
    const [saving, outputs] = save(served, task, event, record, next, version, now)
    return [saving, [...replies, ...outputs]]
  }

  // The write may have been carried out despite the failure: release its claim, or others would wait for an unused lease.
  const storeFailed = (
    state: Held,
    task: Task<S, E>,
    reason: Reason,
    now: Now,
    commands: ReadonlyArray<C> = []
  ): Step => {
    const { failures, since } = state.trouble ?? { failures: 0, since: now.elapsed }
    const failing: Held = {
      ...state,
      store: { _tag: "Backoff", until: now.elapsed + Math.min(slowestBackoff, firstBackoff * 2 ** failures) },
      trouble: { failures: failures + 1, since, reason }
    }
    const isOver =
      state.closingSince !== undefined && now.elapsed - Math.max(since, state.closingSince) >= closingPatience
    // An unreadable record may soon be readable again.
    const isHopeless =
      reason._tag === "IllegalTransition" || (!reason.isRetryable && now.elapsed - since >= unreadablePatience)
    if (task._tag === "Delivery" && task.isRetried && !isHopeless && !isOver) return [failing, []]
    // The open request may still get its response.
    if (task._tag === "Demand" && state.request !== undefined) {
      return [{ ...state, store: { _tag: "Idle" }, pollAt: now.elapsed + slowestPoll }, []]
    }
    const given: Held = { ...state, store: { _tag: "Idle" }, trouble: undefined }
    const rest = task._tag === "Delivery" ? { ...given, inbox: given.inbox.slice(1) } : given
    const [replied, outputs] = reply(rest, failed(reason), concerned(task))
    let s = replied
    for (const command of commands) {
      const order = driven.order(command, now.wall)
      if (order._tag !== "Send") continue
      s = conclude(s, { about: order.about, request: order.request, caller: undefined }, { _tag: "NotTried" }, false)
      s = { ...s, store: failing.store, trouble: failing.trouble }
    }
    return [s, outputs]
  }

  // The current delivery is the first in the inbox.
  const decideOn = (state: Held, decidedOn: S | undefined): Held => {
    const [first, ...rest] = state.inbox
    return first === undefined ? state : { ...state, inbox: [{ ...first, decidedOn }, ...rest] }
  }

  const writeFailed = (
    state: Held,
    task: Task<S, E>,
    reason: Reason,
    now: Now,
    decidedOn: S | undefined,
    commands: ReadonlyArray<C>
  ): Step => {
    return storeFailed(task._tag === "Delivery" ? decideOn(state, decidedOn) : state, task, reason, now, commands)
  }

  const table = {
    Loading: {
      Loaded: loaded,
      StoreFailed: (state: Held, { reason, version }: Of<"StoreFailed">, now: Now, { task }: In<"Loading">): Step => {
        // An unreadable record can still be removed.
        if (task._tag === "Delivery" && task.isRemoval && version !== undefined) {
          return save(state, task, task.event, undefined, { state: driven.none, commands: [] }, version, now)
        }
        return storeFailed(state, task, reason, now)
      }
    },
    Saving: {
      Saved: (state: Held, _: Of<"Saved">, now: Now, { event, from, next, task }: In<"Saving">): Step => {
        const [carried, outputs] = carryOut(state, task, next.state, next.commands, from, now)
        return [carried, from === undefined ? outputs : [{ _tag: "Publish", from, event, to: next.state }, ...outputs]]
      },
      Conflicted: (state: Held, now: Now, { from, task }: In<"Saving">): Step => {
        const conflicts = state.conflicts + 1
        // A disconnect removes the grant that the caller saw: a consent stored since then stands.
        const decided = task._tag === "Delivery" && task.isRemoval ? decideOn(state, from) : state
        const s: Held = { ...decided, store: { _tag: "Idle" }, pollAt: undefined, conflicts }
        if (conflicts < busyFrom) return [s, []]
        // Otherwise a store that returns stale records would be asked without end.
        const until = now.elapsed + Math.min(slowestBackoff, firstPoll * 2 ** (conflicts - busyFrom))
        return [{ ...s, store: { _tag: "Backoff", until } }, []]
      },
      StoreFailed: (state: Held, { reason }: Of<"StoreFailed">, now: Now, { from, next, task }: In<"Saving">): Step =>
        writeFailed(state, task, reason, now, from, next.commands)
    }
  }

  const storeOutcome = (
    state: Held,
    input: Of<"Loaded"> | Of<"Saved"> | Of<"Conflicted"> | Of<"StoreFailed">,
    now: Now
  ): Step => {
    const { store } = state
    // The operation was abandoned.
    if (!("id" in store) || store.id !== input.id) return [state, []]
    if (store._tag === "Loading") {
      if (input._tag === "Loaded") return table.Loading.Loaded(state, input, now, store)
      if (input._tag === "StoreFailed") return table.Loading.StoreFailed(state, input, now, store)
    } else {
      if (input._tag === "Saved") return table.Saving.Saved(state, input, now, store)
      if (input._tag === "Conflicted") return table.Saving.Conflicted(state, now, store)
      if (input._tag === "StoreFailed") return table.Saving.StoreFailed(state, input, now, store)
    }
    return [state, []]
  }

  // ---------------------------------------------------------------------------
  // All inputs
  // ---------------------------------------------------------------------------

  const wait = (state: Held, caller: number, wants: Caller["wants"], wasRejected: boolean, until: number): Held => ({
    ...state,
    callers: [...state.callers, { id: caller, wants, until, isCovered: false, wasRejected }]
  })

  const refuse = (state: Held, caller: number): Step => [
    state,
    [{ _tag: "Reply", callers: [caller], reply: failed(new Closed({})) }]
  ]

  const take = (state: Held, input: Input<S, E, O>, now: Now): Step => {
    switch (input._tag) {
      case "Asked": {
        const { caller, unusable } = input
        if (state.closingSince !== undefined) return refuse(bury(state, unusable), caller)
        const { memory } = state
        const isNew = unusable !== undefined && Tokens.isReplacement(unusable, now.wall, settings.rejectionInterval)
        const isProven = DriverState.isSame(unusable, memory?.access) && memory?.isProven === true
        // A token that has just replaced a rejected one is probably fine; the endpoint is at fault.
        const known = isNew && !isProven ? state : bury(state, unusable)
        const access = DriverState.peek(known, now.wall)
        return access === undefined
          ? [wait(known, caller, "Access", unusable !== undefined, now.elapsed + settings.requestTimeout), []]
          : [known, [{ _tag: "Reply", callers: [caller], reply: { _tag: "Access", access } }]]
      }
      case "Left":
        return [{ ...state, callers: state.callers.filter(({ id }) => id !== input.caller) }, []]
      case "Brought": {
        const { caller, event, isRemoval, isRetried } = input
        if (state.closingSince !== undefined && !isRetried) return refuse(state, caller)
        const posted = post(state, { event, caller, isRemoval, isRetried })
        const forgotten = isRemoval ? { ...posted, memory: undefined } : posted
        // The caller of a retried event waits as long as the retries last.
        const until = isRetried ? Infinity : now.elapsed + settings.requestTimeout
        return [wait(forgotten, caller, "Event", false, until), []]
      }
      case "Loaded":
      case "Saved":
      case "Conflicted":
      case "StoreFailed":
        return storeOutcome(state, input, now)
      case "Responded": {
        const { request } = state
        // The request was abandoned.
        if (request?.id !== input.id) return [state, []]
        return [conclude({ ...state, request: undefined }, request, input.outcome, isAwaited(state, now)), []]
      }
      case "Accepted": {
        const { memory } = state
        return memory !== undefined && DriverState.isSame(memory.access, input.access) && !memory.isProven
          ? [{ ...state, memory: { ...memory, isProven: true } }, []]
          : [state, []]
      }
      case "Woken":
        return wake(state, now)
      case "Closing":
        return [{ ...state, closingSince: state.closingSince ?? now.elapsed }, []]
    }
  }

  // Handles the deadlines of callers, the request and the store that had passed by `due`.
  const expire = (state: Held, due: number, now: Now): Step => {
    const outputs: Array<Out> = []
    let s = state
    // Choose the reason: the store's silence, or Zapier's.
    const isStoreAwaited = ({ wants }: Caller) =>
      wants === "Event" ? state.store._tag !== "Idle" : state.request === undefined && state.pollAt === undefined
    for (const [reason, isReason] of [
      [silent, isStoreAwaited],
      [pending, () => true]
    ] as const) {
      const isOver = (caller: Caller) => caller.until <= due && isReason(caller)
      const [replied, replies] = reply(s, failed(state.trouble?.reason ?? reason), isOver)
      s = replied
      outputs.push(...replies)
    }
    if (s.request !== undefined && s.request.until <= due) {
      outputs.push({ _tag: "Abandon", id: s.request.id })
      s = conclude({ ...s, request: undefined }, s.request, { _tag: "NoResponse" }, false)
    }
    const { store } = s
    if ((store._tag === "Loading" || store._tag === "Saving") && store.until <= due) {
      outputs.push({ _tag: "Abandon", id: store.id })
      // A silent store fails for callers that have come since, too.
      const [next, more] =
        store._tag === "Saving"
          ? writeFailed(covered(s), store.task, silent, now, store.from, store.next.commands)
          : storeFailed(covered(s), store.task, silent, now)
      s = next
      outputs.push(...more)
    }
    return [s, outputs]
  }

  // A paused process may not have sent its request yet: listen for as long as the lease allows.
  const listenOn = (state: Held, now: Now): Held => {
    const { request } = state
    return request !== undefined && now.elapsed - request.until > longestDelay && request.until < request.latest
      ? { ...state, request: { ...request, until: request.latest } }
      : state
  }

  const wake = (state: Held, now: Now): Step => {
    const { grace } = state
    // After a pause of the process, even during the grace, the socket is still unread.
    if (grace === undefined || now.elapsed - grace > longestDelay) {
      const s = listenOn(state, now)
      const isDue = DriverState.nextDeadline(s) <= now.elapsed
      return [{ ...s, grace: isDue ? now.elapsed + DriverState.grace : undefined }, []]
    }
    // A deadline that passes during the grace gets its own.
    return grace <= now.elapsed ? expire({ ...state, grace: undefined }, grace - DriverState.grace, now) : [state, []]
  }

  // End the grace once nothing is overdue.
  const settled = (state: Held): Held =>
    state.grace !== undefined && DriverState.nextDeadline(state) > state.grace - DriverState.grace
      ? { ...state, grace: undefined }
      : state

  // ---------------------------------------------------------------------------
  // The next operation of the store
  // ---------------------------------------------------------------------------

  const nextTask = (state: Held, now: Now): Task<S, E> | undefined => {
    const [delivery] = state.inbox
    if (delivery !== undefined) return delivery
    const isDue = state.pollAt === undefined || state.pollAt <= now.elapsed
    return isDue && state.callers.some(DriverState.wantsAccess) ? { _tag: "Demand" } : undefined
  }

  const advance = (state: Held, now: Now): Step => {
    const isRested = state.store._tag === "Backoff" && state.store.until <= now.elapsed
    const s: Held = isRested ? { ...state, store: { _tag: "Idle" } } : state
    if (s.store._tag !== "Idle") return [s, []]
    // A closing process waits for no other process.
    const isOver = s.closingSince !== undefined && s.request === undefined && s.inbox.length === 0
    if (isOver) return reply(s, failed(new Closed({})), DriverState.wantsAccess)
    const task = nextTask(s, now)
    if (task === undefined) return [s, []]
    const id = s.nextId
    const until = now.elapsed + settings.storeTimeout
    return [{ ...covered(s), nextId: id + 1, store: { _tag: "Loading", id, task, until } }, [{ _tag: "Load", id }]]
  }

  return {
    driven,
    initial: DriverState.initial,
    step: (state, input, now) => {
      const [taken, outputs] = take(state, input, now)
      const [next, more] = advance(taken, now)
      return { state: settled(next), outputs: [...outputs, ...more] }
    }
  }
}
