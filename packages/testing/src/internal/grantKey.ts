/**
 * One text for all worlds that behave the same: workers are interchangeable, and a version matters only in so far as it
 * is the current one.
 */
import * as HashMap from "effect/HashMap"
import type { FakeState } from "../FakeState.ts"
import type { Activity, Worker, World } from "./grantWorld.ts"
import { ownerOf } from "./processes.ts"
import * as WorldKey from "./worldKey.ts"

export const make = (): ((world: World) => string) => {
  const { atom, idOf, remember } = WorldKey.make()

  const serverText = ({ names, now, server }: World): string => {
    const left = (time: number) => Math.max(0, time - now)
    const parts = [
      ...HashMap.toEntries(server.accessTokens).map(([token, { expiresAt }]) => `${names[token]}:${left(expiresAt)}`),
      ...HashMap.toEntries(server.refreshTokens)
        // Those of a grant that is gone are as good as unknown.
        .filter(([, { grantId }]) => HashMap.has(server.grants, grantId))
        .map(([token, { rotated }]) => {
          const grace = rotated === undefined ? "unused" : left(rotated.at + server.knobs.graceMillis)
          return `${names[token]}:${grace}`
        }),
      ...HashMap.toEntries(server.codes).map(
        ([code, { expiresAt, grantId }]) => `${names[code]}:${left(expiresAt)}:${grantId === undefined}`
      )
    ]
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
