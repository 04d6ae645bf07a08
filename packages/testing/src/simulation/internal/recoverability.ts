/**
 * Judges from the server and the network whether a grant can still be recovered, whatever the client knows.
 *
 * A refresh leaves one valid refresh token: the new one. From its creation at the server until it is stored, it is on
 * its way to the process that requested it, or in its memory; during a grace period several processes may have it. If
 * all their responses are lost, arrive too late, or die with their processes, no process has the token any more, and
 * the old one is valid only for the rest of its grace period. Without a grace period, or after it, the grant is
 * `unrecoverable`. A grace period that passed is no excuse if the sender got the connection error in time, had a caller
 * waiting, and did not retry.
 *
 * A lease that ends before the new token is stored lets another process send the old one, which revokes the grant. That
 * is excused if the owner of the lease was paused until then, or could not reach the store, or if a clock was wrong by
 * more than the lease allows for.
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
  /** True once it has ended: its open requests get no response. */
  isGone: boolean
  /** When the store last failed it. */
  failedAt: number
  /** How often it was paused, and when it last resumed. */
  pauses: number
  awakeSince: number
  /** True if its clock was ever wrong by more than a lease allows for. */
  isAstray: boolean
}

/** A refresh request. `attempt` counts those with the same token from the same process. */
export interface Exchange {
  readonly host: Sender
  readonly attempt: number
  /** How often the process had been paused before. */
  readonly pauses: number
  /** When the lease that covers it ends. */
  readonly leaseEnds: number
}

// The longest time that a resumed process needs to store a response, in milliseconds.
const haste = 5_000

// Its process could not know when its lease ended, or was paused until just before.
const isExcused = ({ host, leaseEnds, pauses }: Exchange) =>
  host.isAstray || (host.pauses > pauses && (host.room.isSuspended() || host.awakeSince + haste > leaseEnds))

// How recently the store may have failed a process that still retries its write, in milliseconds.
const persistence = 3_000

/** True if the store has kept failing the process until now. */
export const isKeptOut = ({ failedAt }: Sender, now: number): boolean => now - failedAt <= persistence

interface Rotation {
  readonly old: string
  readonly token: string
  readonly at: number
  /** The last requester. */
  by: Exchange
  /** The processes that it is on its way to, or that hold it. */
  readonly holders: Map<Exchange, "OnItsWay" | "Held">
  /** A process that learned of the loss in time to retry, and when. */
  chance: { readonly host: Sender; readonly at: number } | undefined
  isTried: boolean
  /** True if another process took over while the store kept failing its holder. */
  isOvertaken: boolean
}

const involved = ({ by, holders }: Rotation) => [by, ...holders.keys()]

// Other processes could not distinguish its holder from an ended process.
const wasMissed = (rotation: Rotation) => rotation.isOvertaken || involved(rotation).some(isExcused)

export interface Recoverability {
  /** The new refresh token that is not stored yet. */
  rotation: Rotation | undefined
  /** The last one, whether or not it is stored. */
  latest: Rotation | undefined
  /** True if no client can save it, whatever the store says. */
  isUnrecoverable: boolean
  /** True if it was given up in the store, other than by the user. */
  isLost: boolean
  /** True if it was given up although it could have been kept. */
  isNeedless: boolean
  /** How often each process has sent the stored refresh token. */
  sent: { token: string; readonly times: Map<Sender, number> }
  /** The ids of grants that the user revoked at Zapier. */
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
  // The needless losses are those that could have been avoided.
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

  /** The user or the app ended the grant before its loss was noticed. */
  const forestall = (of: Recoverability) => {
    of.rotation = undefined
    if (of.isUnrecoverable && !of.isLost) counts.unrecoverable--
    // It was given up, but the holder of the token might still have stored it.
    if (of.isLost && !of.isUnrecoverable && !of.isNeedless) counts.lost--
    of.isUnrecoverable = false
  }

  return {
    counts,
    wasRevoked,

    /** A refresh token is about to be sent. */
    tried: (of: Recoverability, host: Sender, token: string, leaseEnds: number): Exchange => {
      if (of.rotation?.old === token) of.rotation.isTried = true
      if (of.sent.token !== token) of.sent = { token, times: new Map() }
      const attempt = (of.sent.times.get(host) ?? 0) + 1
      of.sent.times.set(host, attempt)
      return { host, attempt, pauses: host.pauses, leaseEnds }
    },

    /** The server has responded to a refresh of the stored grant. */
    responded: (of: Recoverability, by: Exchange, sent: string, response: FakeResponse, isLate: boolean) => {
      const token = newRefreshToken(response)
      const { rotation } = of
      if (token === undefined) return
      if (rotation?.token === token) {
        // A response without a receiver takes nothing from a process that already has it.
        if (isLate) return
        rotation.by = by
        rotation.holders.set(by, "OnItsWay")
      } else {
        const made: Rotation = {
          old: sent,
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
      // The receiver has already ended.
      if (by.host.isGone && of.rotation !== undefined) lose(of, of.rotation, by)
    },

    /** The server has revoked the grant, because a rotated refresh token was used again. */
    reused: (of: Recoverability, token: string, isInevitable: boolean) => {
      const { latest } = of
      // A process that takes over must retry what its predecessor may never have sent.
      if (isInevitable || (latest?.old === token && wasMissed(latest))) giveUp(of)
    },

    /** The response has arrived. */
    delivered: (of: Recoverability, by: Exchange) => {
      const { rotation } = of
      if (rotation?.holders.has(by) === true) rotation.holders.set(by, "Held")
    },

    /** The response will never arrive. `isTold`: the sender gets an error, and should retry. */
    missed: (of: Recoverability, by: Exchange, isTold: boolean) => {
      const { rotation } = of
      if (rotation?.holders.get(by) !== "OnItsWay") return
      if (isTold && by.attempt < 2) rotation.chance ??= { host: by.host, at: timeline.now() }
      lose(of, rotation, by)
    },

    /** A process has ended, and its memory is lost. */
    ended: (of: Recoverability, host: Sender) => {
      const { rotation } = of
      if (rotation === undefined) return
      if (rotation.chance?.host === host) rotation.chance = undefined
      for (const by of rotation.holders.keys()) if (by.host === host) lose(of, rotation, by)
    },

    /** The store has a new state. */
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
        // A token in the memory of a process that was thought dead is lost only if the process does not resume.
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

    /** The user is about to revoke the app's access at Zapier. `stored`: the stored refresh token. */
    revoked: (of: Recoverability, userId: number, stored: string | undefined) => {
      const ids = grantIdsOf(userId)
      for (const id of ids) of.revoked.add(id)
      // The user cannot revoke what the server itself has revoked before.
      const isThere = stored !== undefined && ids.some((id) => id === grantIdOf(stored))
      if (isThere && !of.isLost) forestall(of)
    }
  }
}

export type Recoveries = ReturnType<typeof make>
