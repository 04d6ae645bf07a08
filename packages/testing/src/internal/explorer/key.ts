/**
 * One text for all worlds that behave the same.
 *
 * - Processes are interchangeable, and so are the callers of one process.
 * - Secrets are called by what they came from, and a version matters only in so far as it is the current one.
 * - Times count from now. What is over is over, however long ago; what is still to come is rounded up: worlds whose clocks
 *   differ by less than `grains` are the same. So are those in which a waiter looks sooner or later at the record again.
 *
 * Worlds share most of their parts with those that they came from. A part is looked at once for each time and process that
 * it is seen from, and its text stands as a number in the texts that contain it, so that these stay short.
 */
import * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import * as Redacted from "effect/Redacted"
import type * as FakeState from "../../FakeState.ts"
import * as Lookup from "../lookup.ts"
import * as World from "./world.ts"

type Seen = Pick<World.World, "names" | "now">

// In milliseconds: of the ends of tokens, and of all else.
const grains = { expiresAt: 900_000, other: 10_000 }

const ahead = new Set(["deadline", "notBefore", "until"])

// These say when something began, and the rest of the record follows from them or does not depend on them. What callers
// are told, the answers to them and the numbers of operations make no difference.
const ignored = new Set(["obtainedAt", "since", "startedAt", "receivedAt", "scopes", "failure", "id"])

const left = (time: number, now: number, grain = grains.other) => Math.max(0, Math.ceil((time - now) / grain))

interface Known {
  readonly now: number
  readonly me: string | undefined
  readonly id: number
}

const make = () => {
  const ids = new Map<string, number>()
  const known = new WeakMap<object, Known>()

  const idOf = (text: string): number => {
    const id = ids.get(text)
    if (id !== undefined) return id
    ids.set(text, ids.size)
    return ids.size - 1
  }

  const remember = (part: object, { now }: Seen, me: string | undefined, text: () => string): number => {
    const entry = known.get(part)
    if (entry !== undefined && entry.now === now && entry.me === me) return entry.id
    const id = idOf(text())
    known.set(part, { now, me, id })
    return id
  }

  const fieldText = (name: string, value: unknown, world: Seen, me: string | undefined): string => {
    if (name === "expiresAt") return String(left(Number(value), world.now, grains.expiresAt))
    if (ahead.has(name)) return String(left(Number(value), world.now))
    if (name === "arrivedAt") return String(left(Number(value) + ConsentAttempt.codeLifetime, world.now))
    if (name === "replacedAt") return String(left(Number(value) + 30_000, world.now))
    if (name === "sentAt") return String(left(world.now, Number(value)))
    if (name === "owner") return value === me ? "me" : "other"
    if (name === "caller") return value === undefined ? "-" : "c"
    return atom(value, world, me)
  }

  const textOf = (part: object, world: Seen, me: string | undefined): string => {
    let text = ""
    for (const [name, value] of Object.entries(part)) {
      if (!ignored.has(name)) text += `${fieldText(name, value, world, me)},`
    }
    // Rejected is not the same as ended.
    if ("obtainedAt" in part && "expiresAt" in part && part.obtainedAt === part.expiresAt) text += "rejected"
    return text
  }

  /** Everything that a value says, but for what makes no difference. `me` is the process that it is seen from. */
  const atom = (value: unknown, world: Seen, me: string | undefined): string => {
    if (typeof value === "string") return world.names[value] ?? value
    if (typeof value !== "object" || value === null) return String(value)
    if (Redacted.isRedacted(value)) return world.names[String(Redacted.value(value))] ?? "?"
    return `#${remember(value, world, me, () => textOf(value, world, me))}`
  }

  return { atom, idOf, remember }
}

// A response is its tokens; other bodies are told apart by their status.
const bodyText = (body: string | undefined, { names }: Seen): string =>
  Object.entries(names).find(([secret]) => body?.includes(secret))?.[1] ?? ""

const due = (time: number | undefined, now: number) => (time === undefined ? "-" : time <= now ? "due" : "later")

const sorted = (texts: ReadonlyArray<string>) => texts.toSorted().join()

/** Makes the function. `faults`: how many there are at the beginning. */
export const keys = (faults: number): ((world: World.World) => string) => {
  const { atom, idOf, remember } = make()

  const serverText = (server: FakeState.FakeState, { names, now }: Seen): string => {
    const parts = Object.entries(names).flatMap(([text, name]) => {
      const access = Lookup.accessToken(server, text)
      if (access !== undefined) return [`${name}:${left(access.expiresAt, now, grains.expiresAt)}`]
      const refresh = Lookup.refreshToken(server, text, now)
      if (refresh !== undefined) {
        const { isUsed, rotation } = refresh
        return [`${name}:${isUsed ? left((rotation?.at ?? -Infinity) + server.knobs.graceMillis, now) : "unused"}`]
      }
      const { code, exchanged } = Lookup.code(server, text)
      if (code !== undefined) return [`${name}:${left(code.expiresAt, now)}`]
      return exchanged === undefined ? [] : [`${name}:exchanged`]
    })
    return sorted(parts)
  }

  const driverText = (state: World.Driven, world: World.World, me: string, wall: number): string => {
    const { closingSince, dead, grace, inbox, memory, pollAt, request, store, trouble } = state
    const of = (value: unknown) => atom(value, world, me)
    const parts = [
      store._tag,
      "until" in store ? (store._tag === "Backoff" ? due(store.until, world.now) : left(store.until, world.now)) : "",
      "task" in store ? of(store.task) : "",
      store._tag === "Saving" ? `${of(store.event)}${of(store.next)}` : "",
      request === undefined ? "" : `${of(request.about)}${left(request.until, world.now)}`,
      of(inbox),
      memory === undefined
        ? ""
        : `${of(memory.access)}${left(memory.until, wall, 60_000)}${memory.isProven}${memory.since <= wall}`,
      of(dead),
      due(pollAt, world.now),
      due(grace, world.now),
      trouble?.failures,
      closingSince === undefined ? "" : left(closingSince + 10_000, world.now)
    ]
    return parts.join(";")
  }

  const operationText = (operation: World.Operation, world: World.World, me: string): string => {
    switch (operation._tag) {
      case "Bring":
        return "Bring"
      case "Load":
        return `Load${atom(operation.found?.state, world, me)}`
      case "Save": {
        const { expected, isHung, key, result, state } = operation
        const { state: there, version } = World.slot(world, key)
        const isCurrent = expected === (there === undefined ? undefined : version)
        return `Save${isCurrent}${isHung}${result}${atom(state, world, me)}`
      }
      case "Send": {
        const { fate, outcome, request, response, sentAt, until } = operation
        const name = world.names[World.presented(request)] ?? ""
        const body = bodyText(response?.body, world)
        const times = [left(world.now, sentAt), left(until, world.now)]
        return `Send${name}${fate}${response?.status}${body}${outcome?._tag}${times.join()}`
      }
    }
  }

  const callerText = ({ doing, id, wants }: World.Caller, process: World.Process, { names, now }: Seen): string => {
    if (doing._tag === "Idle") return "Idle"
    if (doing._tag === "Calling") return `Calling${names[Redacted.value(doing.access.accessToken)]}${doing.isReplay}`
    for (const { callers } of Object.values(process.drivers)) {
      const entry = callers.find((caller) => caller.id === id)
      if (entry !== undefined) return `${wants}${doing.isReplay}${entry.isCovered}${left(entry.until, now)}`
    }
    return `${wants}${doing.isReplay}${left(doing.since + 20_000, now)}`
  }

  const processText = (process: World.Process, world: World.World): string => {
    const me = World.ownerOf(process)
    const { accepted, claims, codes, deliveries, left: removed, record, rejections, requests } = world.history
    const isMine = ({ owner }: { readonly owner: string | undefined }) => owner === me
    const { callers, closing, drivers, hasFailed, hasWrittenLate, isPaused, offset, operations } = process
    const parts = [
      isPaused,
      offset,
      closing,
      world.faults === faults && hasFailed,
      hasWrittenLate,
      "lease" in record && record.lease.owner === me,
      sorted(
        Object.entries(drivers).map(([key, state]) => {
          if (state === DriverState.initial) return key
          return `${key}${remember(state, world, me, () => driverText(state, world, me, World.wall(world, process)))}`
        })
      ),
      sorted(operations.map((operation) => operationText(operation, world, me))),
      sorted(callers.map((caller) => callerText(caller, process, world))),
      [requests, deliveries, rejections, accepted, claims, removed, codes]
        .map((all) => all.flatMap((part) => (isMine(part) ? [atom(part, world, me)] : [])).join())
        .join(";")
    ]
    return parts.join("|")
  }

  // A process that did nothing is the same as in the world before, as long as time and what is seen of it are.
  const texts = new WeakMap<World.Process, Pick<World.World, "now" | "history" | "store"> & { readonly id: number }>()

  const processId = (process: World.Process, world: World.World): number => {
    const { history, now, store } = world
    const text = texts.get(process)
    if (text?.now === now && text.history === history && text.store === store) return text.id
    const id = idOf(processText(process, world))
    texts.set(process, { now, history, store, id })
    return id
  }

  return (world) => {
    const { callbacks, expiries, history, lateWrites, names, now, processes, server, store, strays } = world
    const alive = new Set(processes.map(World.ownerOf))
    const of = (value: unknown) => atom(value, world, undefined)
    const orphaned = [...history.requests, ...history.rejections, ...history.accepted]
    const fixed = [
      world.faults,
      expiries,
      Object.entries(store)
        .map(([key, { state }]) => `${key}${of(state)}`)
        .join(),
      history.isUnsent,
      history.isAstray,
      left(history.expiresAt, now, grains.expiresAt),
      orphaned
        .filter(({ owner }) => !alive.has(owner))
        .map(of)
        .join(),
      history.consented.map((token) => names[token]).join(),
      history.codes
        .filter(({ owner }) => !alive.has(owner ?? ""))
        .map(of)
        .join(),
      sorted(strays.map((request) => names[World.presented(request)] ?? "")),
      lateWrites.map(({ save }) => operationText(save, world, "")).join(),
      callbacks.map(({ digest }) => digest).join()
    ]
    const serverId = remember(server, world, undefined, () => serverText(server, world))
    const ids = processes.map((process) => processId(process, world)).sort((a, b) => a - b)
    return `${idOf(fixed.join("|"))} ${serverId} ${ids.join(" ")}`
  }
}
