/**
 * One text for all worlds that behave the same: workers are interchangeable, a version matters only in so far as it is
 * the current one, and a token at the server only while somebody holds it.
 */
import type { Activity, Worker, World } from "./appWorld.ts"
import { heldTokens } from "./appWorld.ts"
import * as Lookup from "./lookup.ts"
import { ownerOf } from "./processes.ts"
import * as WorldKey from "./worldKey.ts"

export const make = (): ((world: World) => string) => {
  const { atom, idOf } = WorldKey.make()

  const serverText = (world: World): string => {
    const { names, now, server } = world
    const parts: Array<string> = []
    for (const token of heldTokens(world)) {
      const access = Lookup.accessToken(server, token)
      parts.push(`${names[token]}:${Math.max(0, (access?.expiresAt ?? 0) - now)}`)
    }
    return parts.sort().join()
  }

  const doingText = (doing: Activity, world: World, me: string): string => {
    const of = (...parts: ReadonlyArray<unknown>) => parts.map((part) => atom(part, world, me)).join()
    switch (doing._tag) {
      case "Saving":
        return of(doing.next, doing.input, doing.task, doing.expected === world.record.version)
      case "Waiting":
        return of(doing.task, Math.max(0, doing.until - world.now), doing.seen === world.record.version)
      case "InFlight": {
        const { answer, command, sentAt, task, until } = doing
        const times = [world.now - sentAt, Math.max(0, until - world.now)]
        return of(command, task, ...times, answer?.response.status, answer?.accessToken)
      }
      default:
        return of(doing)
    }
  }

  const workerText = (worker: Worker, world: World): string => {
    const me = ownerOf(worker)
    const { claims, deliveries, record, rejections, requests } = world.ledger
    const holdsLease = record._tag === "Requesting" && record.lease.owner === me
    const mine = [claims, requests, deliveries, rejections].map((all) =>
      all.filter(({ owner }) => owner === me).map((part) => atom(part, world, me))
    )
    const { calls, doing, hasFailed, isSuspended } = worker
    return `${calls}${isSuspended}${hasFailed}${holdsLease}${doing._tag}${doingText(doing, world, me)};${mine.join(";")}`
  }

  return (world) => {
    const { expiries, faults, ledger, record, workers } = world
    const alive = new Set(workers.map(ownerOf))
    // Processes that have ended leave behind what they heard of a rejected token, and nothing else.
    const orphaned = ledger.rejections.filter(({ owner }) => !alive.has(owner))
    const fixed = [
      faults,
      expiries,
      atom(record.state, world, undefined),
      Math.max(0, ledger.expiresAt - world.now),
      orphaned.map((part) => atom(part, world, undefined)).join(),
      serverText(world)
    ]
    const sorted = workers.map((worker) => idOf(workerText(worker, world))).sort((a, b) => a - b)
    return `${idOf(fixed.join(";"))} ${sorted.join(" ")}`
  }
}
