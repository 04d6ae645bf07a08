/**
 * One text for all worlds that behave the same: workers are interchangeable, times count from now, tokens are called by
 * what they came from, and a version matters only in so far as it is the current one.
 *
 * Worlds share most of their parts with those that they came from. A part is looked at once for each time and process
 * that it is seen from, and its text stands as a number in the texts that contain it, so that these stay short.
 */
import { codeLifetime } from "@zapier-workflow-auth/core/ConsentAttempt"
import * as HashMap from "effect/HashMap"
import * as Redacted from "effect/Redacted"
import type { FakeState } from "../FakeState.ts"
import type { Activity, Worker, World } from "./grantWorld.ts"
import { ownerOf } from "./grantWorld.ts"

// What has ended has ended, however long ago; to end just now is not the same for all.
const ahead = new Set(["expiresAt", "deadline", "notBefore", "until"])

// These say when something began, and the rest of the record follows from them or does not depend on them.
const past = new Set(["obtainedAt", "since", "startedAt", "receivedAt"])

interface Known {
  readonly now: number
  readonly me: string | undefined
  readonly id: number
}

export const make = (): ((world: World) => string) => {
  const ids = new Map<string, number>()
  const known = new WeakMap<object, Known>()

  const idOf = (text: string): number => {
    const id = ids.get(text)
    if (id !== undefined) return id
    ids.set(text, ids.size)
    return ids.size - 1
  }

  const remember = (part: object, world: World, me: string | undefined, text: () => string): number => {
    const entry = known.get(part)
    if (entry !== undefined && entry.now === world.now && entry.me === me) return entry.id
    const id = idOf(text())
    known.set(part, { now: world.now, me, id })
    return id
  }

  const textOf = (part: object, world: World, me: string | undefined): string => {
    let text = ""
    for (const [name, value] of Object.entries(part)) {
      if (past.has(name)) continue
      if (ahead.has(name)) text += `${Math.max(-1, Number(value) - world.now)},`
      else if (name === "arrivedAt") text += `${Math.max(0, Number(value) + codeLifetime - world.now)},`
      else if (name === "sentAt") text += `${world.now - Number(value)},`
      else if (name === "owner") text += value === me ? "me," : "other,"
      else text += `${atom(value, world, me)},`
    }
    return text
  }

  /** Everything that a value says, but for what makes no difference. `me` is the process that it is seen from. */
  const atom = (value: unknown, world: World, me: string | undefined): string => {
    if (typeof value === "string") return world.names[value] ?? value
    if (typeof value !== "object" || value === null) return String(value)
    if (Redacted.isRedacted(value)) return world.names[String(Redacted.value(value))] ?? "?"
    return `#${remember(value, world, me, () => textOf(value, world, me))}`
  }

  const serverText = ({ names, now, server }: World): string => {
    const left = (time: number) => Math.max(0, time - now)
    const parts = [
      ...HashMap.toEntries(server.accessTokens).map(([token, { expiresAt }]) => `${names[token]}:${left(expiresAt)}`),
      ...HashMap.toEntries(server.refreshTokens).map(([token, { rotated }]) => {
        const grace = rotated === undefined ? "unused" : left(rotated.at + server.knobs.graceMillis)
        return `${names[token]}:${grace}`
      }),
      ...HashMap.toEntries(server.codes).map(
        ([code, { expiresAt, grantId }]) => `${names[code]}:${left(expiresAt)}:${grantId === undefined}`
      )
    ]
    return parts.sort().join()
  }

  // An answer is its tokens; other bodies are told apart by their status.
  const bodyText = (body: string | undefined, { names }: World): string =>
    Object.entries(names).find(([secret]) => body?.includes(secret))?.[1] ?? ""

  const doingText = (doing: Activity, world: World, me: string): string => {
    const of = (...parts: ReadonlyArray<unknown>) => parts.map((part) => atom(part, world, me)).join()
    switch (doing._tag) {
      case "Saving": {
        const { expected, input, task, write } = doing
        const current =
          write.on === "Grant"
            ? world.grant.version
            : world.attempts.find(({ state }) => task._tag === "Callback" && state.stateDigest === task.digest)?.version
        return of(write, input, task, expected === current)
      }
      case "Waiting":
        return of(doing.task, Math.max(0, doing.until - world.now), doing.seen === world.grant.version)
      case "InFlight": {
        const { answer, command, sentAt, task, until } = doing
        const times = [world.now - sentAt, Math.max(0, until - world.now)]
        return of(command, task, ...times, answer?.status, bodyText(answer?.body, world))
      }
      default:
        return of(doing)
    }
  }

  const workerText = (worker: Worker, world: World): string => {
    const me = ownerOf(worker)
    const { claims, deliveries, grant, presentations, rejections } = world.ledger
    const holdsLease = grant._tag === "Refreshing" && grant.lease.owner === me
    const mine = [...presentations, ...deliveries, ...rejections, ...claims].filter(({ owner }) => owner === me)
    const { calls, doing, hasFailed, isSuspended } = worker
    const parts = mine.map((part) => atom(part, world, me)).join()
    return `${calls}${isSuspended}${hasFailed}${holdsLease}${doing._tag}${doingText(doing, world, me)};${parts}`
  }

  return (world) => {
    const { attempts, callbacks, expiries, faults, grant, ledger, server, strays, workers } = world
    const alive = new Set(workers.map(ownerOf))
    const rest = [
      faults,
      expiries,
      grant.state,
      ledger.isUnsent,
      attempts.map(({ state }) => atom(state, world, undefined)).join(),
      strays.map((command) => atom(command, world, undefined)).join(),
      callbacks.length,
      Math.max(0, ledger.expiresAt - world.now),
      [...ledger.presentations, ...ledger.rejections]
        .filter(({ owner }) => !alive.has(owner))
        .map((part) => atom(part, world, undefined))
        .join(),
      ledger.consented,
      ledger.codes
    ]
    const fixed = rest.map((part) => atom(part, world, undefined)).join()
    const serverId = remember(server satisfies FakeState, world, undefined, () => serverText(world))
    const sorted = workers.map((worker) => idOf(workerText(worker, world))).sort((a, b) => a - b)
    return `${idOf(fixed)} ${serverId} ${sorted.join(" ")}`
  }
}
