/**
 * One text for all worlds that behave the same: workers are interchangeable, and a version matters only in so far as it
 * is the current one.
 */
import type { FakeState } from "../FakeState.ts"
import type { Activity, Worker, World } from "./grantWorld.ts"
import * as Lookup from "./lookup.ts"
import { ownerOf } from "./processes.ts"
import * as WorldKey from "./worldKey.ts"

export const make = (): ((world: World) => string) => {
  const { atom, idOf, remember } = WorldKey.make()

  const serverText = ({ names, now, server }: World): string => {
    const left = (time: number) => Math.max(0, time - now)
    const parts = Object.entries(names).flatMap(([text, name]) => {
      const access = Lookup.accessToken(server, text)
      if (access !== undefined) return [`${name}:${left(access.expiresAt)}`]
      const refresh = Lookup.refreshToken(server, text, now)
      if (refresh !== undefined) {
        const { isUsed, rotation } = refresh
        return [`${name}:${isUsed ? left((rotation?.at ?? -Infinity) + server.knobs.graceMillis) : "unused"}`]
      }
      const { code, exchanged } = Lookup.code(server, text)
      if (code !== undefined) return [`${name}:${left(code.expiresAt)}`]
      return exchanged === undefined ? [] : [`${name}:exchanged`]
    })
    return parts.sort().join()
  }

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
        return of(command, task, ...times, answer?.status, WorldKey.bodyText(answer?.body, world))
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
