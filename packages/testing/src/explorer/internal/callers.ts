/** The callers of a process within a turn: their requests, events and results. */
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as Redacted from "effect/Redacted"
import * as Server from "./server.ts"
import * as World from "./world.ts"
import type { Caller } from "./world.ts"
import { type Turn, processOf, change, update, observe, stateOf, drop, feed, by } from "./turn.ts"

const setCaller = (turn: Turn, name: string, caller: Caller) =>
  update(turn, name, ({ callers }) => ({
    callers: callers.map((other) => (other.id === caller.id ? caller : other))
  }))

export const finish = (turn: Turn, name: string, { id, wants }: Caller, isFailure: boolean): void => {
  // A user who has not connected is not served, which is no failure.
  const counts = isFailure && wants === "Access" && World.slot(turn.world, World.shared).state !== undefined
  update(turn, name, ({ callers, hasFailed }) => ({
    callers: callers.filter((other) => other.id !== id),
    hasFailed: hasFailed || counts
  }))
}

const give = (turn: Turn, name: string, caller: Caller, access: Tokens.UsableAccess) => {
  observe(turn, { _tag: "AccessGiven", owner: World.ownerOf(processOf(turn, name)), access })
  const isReplay = caller.doing._tag === "Waiting" && caller.doing.isReplay
  setCaller(turn, name, { ...caller, doing: { _tag: "Calling", access, isReplay } })
}

/** Asks for an access token, or for another one than `unusable`. */
export const ask = (turn: Turn, name: string, caller: Caller, unusable?: Tokens.UsableAccess): void => {
  const process = processOf(turn, name)
  const state = stateOf(process, World.shared)
  const found =
    unusable === undefined && !process.isClosing ? DriverState.peek(state, World.wall(turn.world, process)) : undefined
  if (found !== undefined) return give(turn, name, caller, found)
  const isReplay = unusable !== undefined
  setCaller(turn, name, { ...caller, doing: { _tag: "Waiting", since: turn.world.now, isReplay } })
  feed(turn, name, World.shared, { _tag: "Asked", caller: caller.id, unusable })
}

/** Calls the API for a caller. */
export const call = (turn: Turn, name: string, caller: Caller): void => {
  if (caller.doing._tag !== "Calling") return
  const { access, isReplay } = caller.doing
  if (Server.callApi(turn.world, turn.client, access) !== 401) {
    finish(turn, name, caller, false)
    // Only a token that replaced a rejected one needs confirmation.
    if (access.replacedAt === undefined) return
    const owner = World.ownerOf(processOf(turn, name))
    observe(turn, { _tag: "AccessAccepted", owner, accessToken: Redacted.value(access.accessToken) })
    return feed(turn, name, World.shared, { _tag: "Accepted", access })
  }
  // A second 401 goes to the caller without telling the driver.
  if (isReplay) return finish(turn, name, caller, true)
  observe(turn, { _tag: "AccessRejected", ...by(turn, processOf(turn, name)), access })
  ask(turn, name, caller, access)
}

/** Brings an event to a driver, and waits until it is recorded. */
export const bring = (turn: Turn, name: string, key: string, event: World.Event, isRemoval: boolean): void => {
  const { callers, nextCaller } = processOf(turn, name)
  const doing = { _tag: "Waiting", since: turn.world.now, isReplay: false } as const
  change(turn, name, {
    callers: [...callers, { id: nextCaller, wants: "Event", doing }],
    nextCaller: nextCaller + 1
  })
  feed(turn, name, key, { _tag: "Brought", caller: nextCaller, event, isRetried: false, isRemoval })
}

/** Delivers a callback with a code. */
export const callBack = (turn: Turn, name: string, { code, digest }: World.Callback): void => {
  const event = { _tag: "CodeReceived", stateDigest: digest, subject: "ada", code: Redacted.make(code) } as const
  bring(turn, name, digest, event, false)
}

export const settle = (turn: Turn, name: string, id: number, reply: DriverState.Reply<World.Record>) => {
  const { callers, operations } = processOf(turn, name)
  const waiting = operations.find((operation) => operation._tag === "Bring" && operation.caller === id)
  if (waiting !== undefined) {
    const outcome: World.Outcome =
      reply._tag === "Failed" ? { _tag: "NotStored", reason: reply.reason } : { _tag: "Stored" }
    drop(turn, name, waiting)
    return feed(turn, name, waiting.key, { _tag: "Responded", id: waiting.id, outcome })
  }
  const caller = callers.find((other) => other.id === id)
  if (caller === undefined) return
  if (reply._tag === "Access") return give(turn, name, caller, reply.access)
  finish(turn, name, caller, reply._tag === "Failed")
}
