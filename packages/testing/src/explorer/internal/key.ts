/**
 * Makes one key for all worlds that behave the same.
 *
 * - Processes are interchangeable, and so are the callers of one process.
 * - Facts without further effect are left out: the access token in the memory of a process that has no callers left,
 *   rejections that a process learned of and can no longer act on, codes that nobody has, the outcome of a finished
 *   request.
 * - Secrets are named by their origin, and a version counts only as current or not.
 * - Times are relative to now. The past is all the same; the future is rounded up: worlds whose clocks differ by less
 *   than `grains` are the same. So are those in which a waiter polls the record sooner or later.
 *
 * Worlds share most of their parts with their predecessors. The text of a part is made again only if it may have
 * changed: how long it stays the same, and whether it depends on the process, is recorded when it is made. A number
 * stands for it in the texts that contain it, which keeps them short.
 */
import * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as Driver from "@zapier-workflow-auth/core/machine/Driver"
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Redacted from "effect/Redacted"
import type * as FakeState from "../../fake/FakeState.ts"
import * as Lookup from "../../fake/internal/lookup.ts"
import * as World from "./world.ts"

type History = World.World["history"]

type Names = Pick<World.World, "names" | "now">

// In milliseconds: for the expiry of tokens, and for everything else.
const grains = { expiresAt: 900_000, other: 10_000 }

const ahead = new Set(["deadline", "notBefore", "until"])

// These say when something began: the rest of the record follows from them or does not depend on them. Results for
// callers and the numbers of operations have no further effect.
const ignored = new Set(["obtainedAt", "since", "startedAt", "receivedAt", "sentAt", "scopes", "failure", "id"])

/** When a text stays the same: `from` one time to another, and for every process unless it `isPersonal`. */
interface Validity {
  from: number
  to: number
  isPersonal: boolean
}

interface Known extends Validity {
  readonly me: string | undefined
  readonly id: number
}

const make = ({ rejectionInterval }: Settings.Settings) => {
  const ids = new Map<string, number>()
  const known = new WeakMap<object, Known>()
  // The validity of the text that is being made.
  let validity: Validity = { from: -Infinity, to: Infinity, isPersonal: false }

  const narrow = (from: number, to: number) => {
    if (from > validity.from) validity.from = from
    if (to < validity.to) validity.to = to
  }

  /** How long until a time, in grains; 0 once it has come. */
  const left = (time: number, { now }: Names, grain = grains.other): number => {
    const count = Math.max(0, Math.ceil((time - now) / grain))
    narrow(time - count * grain, count === 0 ? Infinity : time - (count - 1) * grain)
    return count
  }

  const due = (time: number | undefined, { now }: Names): string => {
    if (time === undefined) return "-"
    if (time <= now) narrow(time, Infinity)
    else narrow(-Infinity, time)
    return time <= now ? "due" : "later"
  }

  const idOf = (text: string): number => {
    const id = ids.get(text)
    if (id !== undefined) return id
    ids.set(text, ids.size)
    return ids.size - 1
  }

  /** The number of a part's text, which is made unless it is known. `me` is the process that sees the part. */
  const remember = (part: object, { now }: Names, me: string | undefined, text: () => string): number => {
    let entry = known.get(part)
    const isKnown = entry !== undefined && entry.from <= now && now < entry.to && (!entry.isPersonal || entry.me === me)
    if (entry === undefined || !isKnown) {
      const outer = validity
      validity = { from: -Infinity, to: Infinity, isPersonal: false }
      const id = idOf(text())
      entry = { ...validity, me, id }
      known.set(part, entry)
      validity = outer
    }
    narrow(entry.from, entry.to)
    validity.isPersonal ||= entry.isPersonal
    return entry.id
  }

  const fieldText = (name: string, value: unknown, world: Names, me: string | undefined): string => {
    if (name === "expiresAt") return String(left(Number(value), world, grains.expiresAt))
    if (ahead.has(name)) return String(left(Number(value), world))
    if (name === "arrivedAt") return String(left(Number(value) + ConsentAttempt.codeLifetime, world))
    if (name === "replacedAt") return String(left(Number(value) + rejectionInterval, world))
    if (name === "owner") {
      personal()
      return value === me ? "me" : "other"
    }
    if (name === "caller") return value === undefined ? "-" : "c"
    return atom(value, world, me)
  }

  const textOf = (part: object, world: Names, me: string | undefined): string => {
    let text = ""
    for (const [name, value] of Object.entries(part)) {
      if (!ignored.has(name)) text += `${fieldText(name, value, world, me)},`
    }
    // A rejected token differs from an expired one.
    if ("obtainedAt" in part && "expiresAt" in part && part.obtainedAt === part.expiresAt) text += "rejected"
    return text
  }

  /** The text of a value without facts that have no effect. `me` is the process that sees it. */
  const atom = (value: unknown, world: Names, me: string | undefined): string => {
    if (typeof value === "string") return world.names[value] ?? value
    if (typeof value !== "object" || value === null) return String(value)
    if (Redacted.isRedacted(value)) return world.names[String(Redacted.value(value))] ?? "?"
    return `#${remember(value, world, me, () => textOf(value, world, me))}`
  }

  /** Marks a text that depends on the process. */
  const personal = () => void (validity.isPersonal = true)

  return { atom, due, idOf, left, personal, remember }
}

// A response is its tokens; other bodies differ by their status only.
const bodyText = (body: string | undefined, { names }: Names): string =>
  Object.entries(names).find(([secret]) => body?.includes(secret))?.[1] ?? ""

const mayServe = ({ callers }: World.Process) => callers.some(({ wants }) => wants === "Access")

const isAttempting = ({ drivers }: World.Process, digest: string | undefined) =>
  digest !== undefined && digest !== World.shared && Object.hasOwn(drivers, digest)

const sorted = (texts: ReadonlyArray<string>) => texts.toSorted().join()

const joined = <A>(all: ReadonlyArray<A>, textOf: (a: A) => string): string => {
  let text = ""
  for (const one of all) text += textOf(one)
  return text
}

/** Makes the key function. `faults` is their number at the beginning. */
export const keys = ({ settings }: World.Client, faults: number): ((world: World.World) => string) => {
  const { atom, due, idOf, left, personal, remember } = make(settings)

  const serverText = (server: FakeState.FakeState, world: Names): string => {
    const { names, now } = world
    const parts = Object.entries(names).flatMap(([text, name]) => {
      const access = Lookup.accessToken(server, text)
      if (access !== undefined) return [`${name}:${left(access.expiresAt, world, grains.expiresAt)}`]
      const refresh = Lookup.refreshToken(server, text, now)
      if (refresh !== undefined) {
        const { isUsed, rotation } = refresh
        return [`${name}:${isUsed ? left((rotation?.at ?? -Infinity) + server.settings.graceMillis, world) : "unused"}`]
      }
      const { code, exchanged } = Lookup.code(server, text)
      if (code !== undefined) return [`${name}:${left(code.expiresAt, world)}`]
      return exchanged === undefined ? [] : [`${name}:exchanged`]
    })
    return sorted(parts)
  }

  // ---------------------------------------------------------------------------
  // The state of a process
  // ---------------------------------------------------------------------------

  const driverText = (state: World.Driven, world: World.World, process: World.Process): string => {
    const me = World.ownerOf(process)
    const { offset } = process
    const { closingSince, grace, inbox, pollAt, request, store, trouble } = state
    personal()
    // No caller is left to get an access token.
    const { dead, memory } = mayServe(process) ? state : DriverState.initial
    const of = (value: unknown) => atom(value, world, me)
    const parts = [
      store._tag,
      "until" in store ? (store._tag === "Backoff" ? due(store.until, world) : left(store.until, world)) : "",
      "task" in store ? of(store.task) : "",
      store._tag === "Saving" ? `${of(store.event)}${of(store.next)}` : "",
      request === undefined ? "" : `${of(request.about)}${left(request.until, world)}`,
      of(inbox),
      memory === undefined
        ? ""
        : `${of(memory.access)}${left(memory.until - offset, world, 60_000)}${memory.isProven}${due(memory.since - offset, world)}`,
      of(dead),
      // A driver that is busy polls anyway.
      store._tag === "Idle" ? due(pollAt, world) : "",
      due(grace, world),
      trouble?.failures,
      closingSince === undefined ? "" : left(closingSince + Driver.closingPatience, world)
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
        const { isHung, result, state } = operation
        return `Save${isHung}${result}${atom(state, world, me)}`
      }
      case "Send": {
        const { delivery, outcome, request, response, sentAt, until } = operation
        const name = world.names[World.secretOf(request)] ?? ""
        const body = bodyText(response?.body, world)
        // The lifetime of its token counts from then.
        const isOld = due(sentAt + 1, world)
        return `Send${name}${delivery}${response?.status}${body}${outcome?._tag}${isOld},${left(until, world)}`
      }
    }
  }

  const callerText = ({ doing, id, wants }: World.Caller, process: World.Process, world: Names): string => {
    const { names } = world
    if (doing._tag === "Idle") return "Idle"
    if (doing._tag === "Calling") return `Calling${names[Redacted.value(doing.access.accessToken)]}${doing.isReplay}`
    for (const { callers } of Object.values(process.drivers)) {
      const entry = callers.find((caller) => caller.id === id)
      if (entry !== undefined) return `${wants}${doing.isReplay}${entry.isCovered}${left(entry.until, world)}`
    }
    return `${wants}${doing.isReplay}${left(doing.since + settings.requestTimeout, world)}`
  }

  const processText = (process: World.Process, world: World.World): string => {
    const { callers, drivers, hasLateClaim, isClosing, isPaused, offset, operations } = process
    const me = World.ownerOf(process)
    // Without callers its memory has no effect.
    const seenFrom = mayServe(process) ? me : `${me}-`
    const parts = [
      `${isPaused}${offset}${isClosing}${hasLateClaim}`,
      sorted(
        Object.entries(drivers).map(
          ([key, state]) => `${key}${remember(state, world, seenFrom, () => driverText(state, world, process))}`
        )
      ),
      sorted(operations.map((operation) => operationText(operation, world, me))),
      sorted(callers.map((caller) => callerText(caller, process, world)))
    ]
    return parts.join("|")
  }

  // The keys it is writing, and whether its version is current.
  const writesText = ({ operations }: World.Process, world: World.World): string =>
    sorted(
      operations.flatMap((operation) =>
        operation._tag === "Save" ? [`${operation.key}${World.isCurrent(world, operation)}`] : []
      )
    )

  // ---------------------------------------------------------------------------
  // The history of the rules
  // ---------------------------------------------------------------------------

  const requestText = (request: History["requests"][number], world: Names): string => {
    const { names } = world
    const { deadline, isExcused, isOutdated, isUnknown, outcome, token } = request
    const open = outcome === "Open" ? `${isExcused}${left(deadline, world)}` : ""
    return `${names[token] ?? token}${outcome}${isUnknown}${isOutdated}${open},`
  }

  const historyText = (process: World.Process, world: World.World): string => {
    const { history, names } = world
    const me = World.ownerOf(process)
    const mine = (all: ReadonlyArray<{ readonly owner: string | undefined }>) =>
      joined(all, (part) => (part.owner === me ? atom(part, world, me) : ""))
    let text = `${World.isHolder(history.record, process)}${writesText(process, world)}`
    for (const request of history.requests) if (request.owner === me) text += requestText(request, world)
    text += `${mine(history.deliveries)};${mine(history.exchanged)};${mine(history.claims)};`
    if (mayServe(process)) text += `${mine(history.rejections)};${mine(history.accepted)};${mine(history.left)};`
    for (const code of history.codes) {
      if (code.owner === me && isAttempting(process, names[code.code])) text += atom(code, world, me)
    }
    return text
  }

  // The owner has no effect once it has no callers.
  const holdersText = (all: History["rejections"], { names, processes }: World.World): string => {
    const isServing = (owner: string) =>
      processes.some((process) => World.ownerOf(process) === owner && mayServe(process))
    return sorted([
      ...new Set(
        all.flatMap((holder) => (isServing(holder.owner) ? [] : [`${names[holder.accessToken]}${holder.isBelieved}`]))
      )
    ])
  }

  const restText = (world: World.World): string => {
    const { callbacks, expiries, history, lateWrites, names, processes, store, strays } = world
    const of = (value: unknown) => atom(value, world, undefined)
    const isAlive = (owner: string | undefined) => processes.some((process) => World.ownerOf(process) === owner)
    const mayExchange = (digest: string | undefined) =>
      callbacks.some((callback) => callback.digest === digest) ||
      processes.some((process) => isAttempting(process, digest))
    const parts = [
      world.faults,
      // Without a fault, no call may fail.
      world.faults === faults && processes.some(({ hasFailed }) => hasFailed),
      expiries,
      joined(Object.entries(store), ([key, { state }]) => `${key}${of(state)}`),
      `${history.isUnsent}${history.isAstray}${left(history.expiresAt, world, grains.expiresAt)}`,
      joined(history.requests, (request) => (isAlive(request.owner) ? "" : requestText(request, world))),
      holdersText(history.rejections, world),
      holdersText(
        history.accepted.map((holder) => ({ ...holder, isBelieved: false })),
        world
      ),
      joined(history.consented, (token) => names[token] ?? ""),
      joined(history.codes, (code) => (code.owner === undefined && mayExchange(names[code.code]) ? of(code) : "")),
      sorted(strays.map((request) => names[World.secretOf(request)] ?? "")),
      joined(lateWrites, ({ save }) => `${World.isCurrent(world, save)}${operationText(save, world, "")}`),
      callbacks.length
    ]
    return parts.join("|")
  }

  return (world) => {
    const { processes, server } = world
    const serverId = remember(server, world, undefined, () => serverText(server, world))
    const ids = processes.map((process) => {
      const processId = remember(process, world, undefined, () => processText(process, world))
      return `${processId} ${idOf(historyText(process, world))}`
    })
    return `${idOf(restText(world))} ${serverId} ${sorted(ids)}`
  }
}
