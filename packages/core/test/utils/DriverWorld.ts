/** One driver over one record, in a world that does what it is told, step by step. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Driver from "../../src/machine/Driver.ts"
import * as DriverState from "../../src/machine/DriverState.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import * as UserGrantDriver from "../../src/machine/UserGrantDriver.ts"
import type { TokenOutcome } from "../../src/oauth/TokenOutcome.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import { StoreFailed } from "../../src/ZapierAuthError.ts"

export const owner = "this process"

export const settings = {
  owner,
  requestTimeout: 20_000,
  responseTimeout: 60_000,
  storeTimeout: 10_000,
  expiryMargin: 300_000,
  rejectionInterval: 30_000,
  memoryLifetime: 60_000
}

export const driver = Driver.make(UserGrantDriver.driven(settings), settings)

export type State = typeof driver.initial
export type Input = DriverState.Input<UserGrant.State, UserGrant.Event, TokenOutcome>
export type Output = ReturnType<typeof driver.step>["outputs"][number]

const hour = 3_600_000

/**
 * What is done next. What cannot be done at the moment does nothing.
 *
 * - `Ask`, `Reject`: a caller asks for a token, or for another than the one that was handed out last
 * - `Leave`: the caller that waits longest is interrupted
 * - `Connect`, `Disconnect`: a caller brings a consent, or a disconnect
 * - `Store`: the operation of the store that is under way ends
 * - `Overtake`: another process writes the record
 * - `Respond`: the request that is open ends
 * - `Accept`: a call succeeds with the token that was handed out last
 * - `Pass`: time passes, and the driver is woken when it wants to be
 * - `Pause`: time passes, and the process stands still
 * - `Jump`: the wall clock jumps
 * - `Close`: the process ends
 */
export const Step = Schema.TaggedUnion({
  Ask: {},
  Reject: {},
  Leave: {},
  Connect: {},
  Disconnect: {},
  Store: { how: Schema.Literals(["Done", "Failed", "DoneButFailed", "Unreadable", "Late"]) },
  Overtake: {},
  Respond: { how: Schema.Literals(["Granted", "InvalidGrant", "NoResponse", "Unavailable", "InvalidClient"]) },
  Accept: {},
  Pass: { millis: Schema.Literals([10, 300, 1_000, 10_000, 21_000, 61_000, 36_000_000]) },
  Pause: { millis: Schema.Literals([1_000, 10_000, 61_000]) },
  Jump: { millis: Schema.Literals([-hour, hour]) },
  Close: {}
})

export type Step = typeof Step.Type

const { Ask, Respond, Store, Pass } = Step.cases
const Usual = Store.mapFields(() => ({ _tag: Store.fields._tag, how: Schema.Literal("Done") }))

const Steps = Schema.Array(Schema.Union([Step, Step, Ask, Respond, Pass, Usual, Usual, Usual, Usual]))

/** Programs that get somewhere: most operations of the store go well. */
export const Program = Steps.check(Schema.isMaxLength(60))

/** Programs that get far. */
export const Long = Steps.check(Schema.isMinLength(100), Schema.isMaxLength(100))

export interface Told {
  readonly caller: number
  readonly reply: DriverState.Reply<UserGrant.State>
}

const failure = new StoreFailed({ store: "grant store", operation: "read", problem: "no disk" })

/** Carries steps out, and tells each input with what came of it. */
export const make = (onStep: (before: State, input: Input, after: State, outputs: ReadonlyArray<Output>) => void) => {
  let elapsed = 1_000_000
  let offset = 0
  let tokens = 0
  let state: State = driver.initial
  let record: { readonly version: number; readonly state: UserGrant.State } = { version: 0, state: UserGrant.absent }
  let store: Extract<Output, { readonly _tag: "Load" | "Save" }> | undefined
  let request: Extract<Output, { readonly _tag: "Send" }> | undefined
  let handedOut: Tokens.UsableAccess | undefined
  let callers = 0
  const told: Array<Told> = []
  const left: Array<number> = []

  const now = (): DriverState.Now => ({ wall: elapsed + offset, elapsed })

  const give = (input: Input) => {
    const before = state
    const { outputs, state: after } = driver.step(before, input, now())
    state = after
    onStep(before, input, after, outputs)
    for (const output of outputs) {
      switch (output._tag) {
        case "Load":
        case "Save":
          store = output
          break
        case "Send":
          request = output
          break
        case "Abandon":
          if (store?.id === output.id) store = undefined
          if (request?.id === output.id) request = undefined
          break
        case "Reply":
          for (const caller of output.callers) told.push({ caller, reply: output.reply })
          if (output.reply._tag === "Access") handedOut = output.reply.access
          break
        case "Count":
        case "Publish":
          break
      }
    }
  }

  const fresh = (): Tokens.Tokens => {
    tokens++
    return {
      accessToken: Tokens.secret(`access-${tokens}`),
      refreshToken: Tokens.secret(`refresh-${tokens}`),
      scopes: ["zap"],
      obtainedAt: now().wall,
      expiresAt: now().wall + 10 * hour
    }
  }

  const write = (next: UserGrant.State) => {
    record = { version: record.version + 1, state: next }
  }

  const outcomes = (): { readonly [how: string]: TokenOutcome } => ({
    Granted: { _tag: "Granted", tokens: fresh() },
    InvalidGrant: { _tag: "InvalidGrant" },
    NoResponse: { _tag: "NoResponse" },
    Unavailable: { _tag: "Unavailable", status: 503, retryAfter: undefined },
    InvalidClient: { _tag: "InvalidClient" }
  })

  const endStore = (how: Extract<Step, { readonly _tag: "Store" }>["how"]) => {
    const operation = store
    if (operation === undefined) return
    store = undefined
    const { id } = operation
    if (how === "Late") return give({ _tag: "StoreFailed", id: id - 1_000, reason: failure })
    if (operation._tag === "Load") {
      if (how === "Unreadable") return give({ _tag: "StoreFailed", id, reason: failure, version: record.version })
      if (how !== "Done") return give({ _tag: "StoreFailed", id, reason: failure })
      const version = record.state._tag === "Absent" ? undefined : record.version
      return give({ _tag: "Loaded", id, state: record.state, version })
    }
    if (how !== "Done" && how !== "DoneButFailed") return give({ _tag: "StoreFailed", id, reason: failure })
    const version = record.state._tag === "Absent" ? undefined : record.version
    const isFirst = operation.expected === version
    if (isFirst) write(operation.state)
    if (how === "DoneButFailed") return give({ _tag: "StoreFailed", id, reason: failure })
    return give({ _tag: isFirst ? "Saved" : "Conflicted", id })
  }

  const pass = (millis: number) => {
    const end = elapsed + millis
    for (let wakes = 0; wakes < 1_000; wakes++) {
      const at = DriverState.wakeAt(state)
      if (at > end) break
      elapsed = Math.max(elapsed, at)
      give({ _tag: "Woken" })
    }
    elapsed = end
  }

  const consent = (): UserGrant.Event => ({ _tag: "ConsentGranted", family: `consent-${tokens + 1}`, tokens: fresh() })

  const take = (step: Step) => {
    switch (step._tag) {
      case "Ask":
        return give({ _tag: "Asked", caller: callers++ })
      case "Reject":
        return handedOut && give({ _tag: "Asked", caller: callers++, unusable: handedOut })
      case "Leave": {
        const [first] = state.callers
        if (first === undefined) return
        left.push(first.id)
        return give({ _tag: "Left", caller: first.id })
      }
      case "Connect":
        return give({ _tag: "Brought", caller: callers++, event: consent(), isRetried: true, isRemoval: false })
      case "Disconnect": {
        const event: UserGrant.Event = { _tag: "Disconnected" }
        return give({ _tag: "Brought", caller: callers++, event, isRetried: false, isRemoval: true })
      }
      case "Store":
        return endStore(step.how)
      case "Overtake": {
        const next = driver.driven.machine.step(record.state, consent(), now().wall)
        return Result.isSuccess(next) ? write(next.success.state) : undefined
      }
      case "Respond": {
        const open = request
        const outcome = outcomes()[step.how]
        if (open === undefined || outcome === undefined) return
        request = undefined
        return give({ _tag: "Responded", id: open.id, outcome })
      }
      case "Accept":
        return handedOut && give({ _tag: "Accepted", access: handedOut })
      case "Pass":
        return pass(step.millis)
      case "Pause":
        elapsed += step.millis
        return
      case "Jump":
        offset += step.millis
        return
      case "Close":
        return give({ _tag: "Closing" })
    }
  }

  /** All goes well from now on, until nothing is under way. */
  const settle = () => {
    for (let turns = 0; turns < 1_000 && DriverState.isBusy(state); turns++) {
      if (store !== undefined) endStore("Done")
      else if (request !== undefined) take({ _tag: "Respond", how: "Granted" })
      else pass(Math.max(1, Math.min(DriverState.wakeAt(state) - elapsed, 36_000_000)))
    }
  }

  return {
    take,
    settle,
    state: () => state,
    record: () => record.state,
    /** Callers that are still to be told something. */
    waiting: () =>
      Array.from({ length: callers }, (_, caller) => caller).filter(
        (caller) => !left.includes(caller) && !told.some((entry) => entry.caller === caller)
      ),
    told
  }
}
