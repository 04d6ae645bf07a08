/**
 * Whether a grant can still be recovered, as the server and the network see it, whatever the client knows of it.
 *
 * A refresh leaves one living refresh token: the new one. From the moment that the server makes it until the store has
 * it, it is on its way to the process that asked, or held by it; in a grace period there may be several. If their responses
 * are lost, come when the sender no longer listens, or die with their processes, nobody has the token any more, and the old
 * one is good for nothing but the rest of its grace period. Without one, or once it is over, the grant is `unrecoverable`. A
 * grace period that is over is no excuse where the sender was told in time that the connection had broken, had a caller
 * waiting, and did not send the token once more.
 *
 * A lease that ends before the new token is stored lets another process send the old one, which ends the grant. That is
 * excused where the owner of the lease stood still until then, or was kept out by the store, or a clock was wrong by more than the
 * lease allows for.
 */
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type { FakeResponse } from "../../fake/FakeHttp.ts"
import { refreshTokenOf, type Server } from "./server.ts"
import type { Room, Timeline } from "../../internal/timeline.ts"

/** A process that sends refreshes. */
export interface Sender {
  /** Its name in leases. */
  readonly owner: string
  readonly room: Room
  /** It has ended: whatever it still waits for never comes. */
  isGone: boolean
  /** When it last learned that the store had failed. */
  failedAt: number
  /** How often it has stood still, and since when it has not. */
  pauses: number
  awakeSince: number
  /** Whether its clock was ever wrong by more than a lease allows for. */
  isAstray: boolean
}

/** One sending of a refresh token. `attempt` counts those of that token by that process. */
export interface Exchange {
  readonly host: Sender
  readonly attempt: number
  /** How often the process had stood still before. */
  readonly pauses: number
  /** When the lease ends that covers it. */
  readonly leaseEnds: number
}

// How long a process needs at most to store what has come while it stood still, in milliseconds.
const haste = 5_000

// Its process cannot know when its lease ended, or stood still until it was about to end.
const isExcused = ({ host, leaseEnds, pauses }: Exchange) =>
  host.isAstray || (host.pauses > pauses && (host.room.isSuspended() || host.awakeSince + haste > leaseEnds))

// How long ago a store may have failed a process that still tries to write, in milliseconds.
const persistence = 3_000

/** Whether the store has kept a process out until now. */
export const isKeptOut = ({ failedAt }: Sender, now: number): boolean => now - failedAt <= persistence

interface Rotation {
  readonly old: string
  readonly token: string
  readonly at: number
  /** Who asked last. */
  by: Exchange
  /** Where it is: on its way to who asked, or held there. */
  readonly holders: Map<Exchange, "OnItsWay" | "Held">
  /** A process that knew of the loss in time, and could have tried again, and since when. */
  chance: { readonly host: Sender; readonly at: number } | undefined
  isTried: boolean
  /** Somebody took over when the store had kept out who holds it. */
  isOvertaken: boolean
}

const involved = ({ by, holders }: Rotation) => [by, ...holders.keys()]

// Nobody could tell who holds it from one that is gone.
const wasMissed = (rotation: Rotation) => rotation.isOvertaken || involved(rotation).some(isExcused)

export interface Recoverability {
  /** The new refresh token that the store does not have yet. */
  rotation: Rotation | undefined
  /** The last one, whether the store has it or not. */
  latest: Rotation | undefined
  /** Nobody can save it, whatever the store says. */
  isUnrecoverable: boolean
  /** Given up in the store, but not by the user. */
  isLost: boolean
  /** Given up although it could have been kept. */
  isNeedless: boolean
  /** Who sent the refresh token in the store how often. */
  sent: { token: string; readonly times: Map<Sender, number> }
  /** The ids of grants that the user has ended at Zapier. */
  readonly revoked: Set<number>
}

export const unscathed = (): Recoverability => ({
  rotation: undefined,
  latest: undefined,
  isUnrecoverable: false,
  isLost: false,
  isNeedless: false,
  sent: { token: "", times: new Map() },
  revoked: new Set()
})

const newRefreshToken = ({ body, status }: FakeResponse): string | undefined => {
  if (status !== 200) return undefined
  const { refresh_token } = JSON.parse(body)
  return typeof refresh_token === "string" ? refresh_token : undefined
}

export const make = (
  timeline: Timeline,
  { graceMillis, grantIdOf, grantIdsOf }: Pick<Server, "graceMillis" | "grantIdOf" | "grantIdsOf">
) => {
  // Of the lost, the needless ones could have been kept.
  const counts = { lost: 0, unrecoverable: 0, needless: 0 }

  const giveUp = (of: Recoverability) => {
    of.rotation = undefined
    if (of.isUnrecoverable) return
    of.isUnrecoverable = true
    counts.unrecoverable++
  }

  const isOver = ({ at }: Rotation) => timeline.now() - at >= graceMillis()

  const lose = (of: Recoverability, rotation: Rotation, by: Exchange) => {
    rotation.holders.delete(by)
    if (rotation.holders.size > 0) return
    if (isOver(rotation)) return giveUp(of)
    timeline.after(rotation.at + graceMillis() - timeline.now(), () => {
      if (of.rotation !== rotation || rotation.holders.size > 0) return
      const { chance } = rotation
      const isUsed = chance === undefined || rotation.isTried
      if (isUsed || chance.host.room.isSuspended() || chance.host.failedAt >= chance.at) giveUp(of)
    })
  }

  const wasRevoked = (of: Recoverability, token: string) => of.revoked.has(grantIdOf(token) ?? Number.NaN)

  /** The user or the app has ended what nobody had missed yet. */
  const forestall = (of: Recoverability) => {
    of.rotation = undefined
    if (of.isUnrecoverable && !of.isLost) counts.unrecoverable--
    // It was given up, and whoever held the token might have come back with it.
    if (of.isLost && !of.isUnrecoverable && !of.isNeedless) counts.lost--
    of.isUnrecoverable = false
  }

  return {
    counts,
    wasRevoked,

    /** A refresh token is about to be sent. */
    tried: (of: Recoverability, host: Sender, presented: string, leaseEnds: number): Exchange => {
      if (of.rotation?.old === presented) of.rotation.isTried = true
      if (of.sent.token !== presented) of.sent = { token: presented, times: new Map() }
      const attempt = (of.sent.times.get(host) ?? 0) + 1
      of.sent.times.set(host, attempt)
      return { host, attempt, pauses: host.pauses, leaseEnds }
    },

    /** The server has responded to a refresh of the grant in the store. */
    responded: (of: Recoverability, by: Exchange, presented: string, response: FakeResponse, isLate: boolean) => {
      const token = newRefreshToken(response)
      const { rotation } = of
      if (token === undefined) return
      if (rotation?.token === token) {
        // A response that goes nowhere takes nothing away from a process that has had it before.
        if (isLate) return
        rotation.by = by
        rotation.holders.set(by, "OnItsWay")
      } else {
        const made: Rotation = {
          old: presented,
          token,
          at: timeline.now(),
          by,
          holders: new Map([[by, "OnItsWay"]]),
          chance: undefined,
          isTried: false,
          isOvertaken: false
        }
        of.rotation = made
        of.latest = made
      }
      // Nobody is there any more to whom it could come.
      if (by.host.isGone && of.rotation !== undefined) lose(of, of.rotation, by)
    },

    /** The server has ended the grant, because a refresh token that was rotated has come again. */
    reused: (of: Recoverability, presented: string, isInevitable: boolean) => {
      const { latest } = of
      // A process that takes over must try what the one before may never have sent.
      if (isInevitable || (latest?.old === presented && wasMissed(latest))) giveUp(of)
    },

    /** The response is there. */
    delivered: (of: Recoverability, by: Exchange) => {
      const { rotation } = of
      if (rotation?.holders.has(by) === true) rotation.holders.set(by, "Held")
    },

    /** The response will never be there. `isTold`: the sender learns of it, and is to send the token once more. */
    missed: (of: Recoverability, by: Exchange, isTold: boolean) => {
      const { rotation } = of
      if (rotation?.holders.get(by) !== "OnItsWay") return
      if (isTold && by.attempt < 2) rotation.chance ??= { host: by.host, at: timeline.now() }
      lose(of, rotation, by)
    },

    /** A process is gone, with all that it held. */
    ended: (of: Recoverability, host: Sender) => {
      const { rotation } = of
      if (rotation === undefined) return
      if (rotation.chance?.host === host) rotation.chance = undefined
      for (const by of rotation.holders.keys()) if (by.host === host) lose(of, rotation, by)
    },

    /** The store has another state now. */
    stored: (of: Recoverability, before: UserGrant.State, after: UserGrant.State) => {
      const token = refreshTokenOf(after)
      if (after._tag === "Absent" || before._tag === "Absent" || after.family !== before.family) {
        forestall(of)
        of.isLost = false
        return
      }
      if (token === of.rotation?.token) of.rotation = undefined
      if (after._tag === "Refreshing" && of.rotation !== undefined) {
        const { owner } = after.lease
        const isOthers = ({ host }: Exchange) => host.owner !== owner && isKeptOut(host, timeline.now())
        if (involved(of.rotation).some(isOthers)) of.rotation.isOvertaken = true
      }
      const isEnded = after._tag === "ReconnectRequired"
      if (isEnded && before._tag !== "ReconnectRequired" && token !== undefined && !wasRevoked(of, token)) {
        of.isLost = true
        // What somebody holds who was taken for gone is lost only if it does not come back.
        const isHeld = of.rotation !== undefined && of.rotation.holders.size > 0 && wasMissed(of.rotation)
        of.isNeedless = !of.isUnrecoverable && !isHeld
        counts.lost++
        if (of.isNeedless) counts.needless++
      }
      if (!isEnded && of.isLost) {
        of.isLost = false
        counts.lost--
        if (of.isNeedless) counts.needless--
        if (token !== undefined && wasRevoked(of, token)) forestall(of)
      }
    },

    /** The user is about to end the app's access at Zapier. `stored`: the refresh token that the store has. */
    revoked: (of: Recoverability, userId: number, stored: string | undefined) => {
      const ids = grantIdsOf(userId)
      for (const id of ids) of.revoked.add(id)
      // What the server itself has ended before is not there any more for the user to end.
      const isThere = stored !== undefined && ids.some((id) => id === grantIdOf(stored))
      if (isThere && !of.isLost) forestall(of)
    }
  }
}

export type Recoveries = ReturnType<typeof make>
