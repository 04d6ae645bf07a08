/**
 * Whether a grant can still be saved, as the server and the network see it, whatever the client knows of it.
 *
 * A refresh leaves one living refresh token: the new one. From the moment that the server makes it until the store has
 * it, it is on its way to the process that asked, or held by it; in a grace period there may be several. If their answers
 * are lost, come when nobody waits for them, or die with their processes, nobody has the token any more, and the old one is
 * good for nothing but the rest of its grace period. Without one, or once it is over, the grant cannot be saved: it is
 * `unsaveable`. A grace period that is over does not count where the sender was alive to learn of the loss in time and did
 * not try again. To try once more is what is asked of it: whoever has sent the token twice, and heard nothing, has done so.
 */
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type { FakeResponse } from "../FakeHttp.ts"
import type { Host } from "./simHost.ts"
import { refreshTokenOf } from "./simServer.ts"
import type { Timeline } from "./timeline.ts"

/** One sending of a refresh token. `attempt` counts those of that token by that process. */
export interface Exchange {
  readonly host: Host
  readonly attempt: number
  /** How often the process had stood still before. */
  readonly standstills: number
}

const hasStood = ({ host, standstills }: Exchange) => host.standstills > standstills

// How long ago a store may have failed whoever still tries to write, in milliseconds.
const persistence = 3_000

/** Whether the store has kept a process out until now, and not its own sloth. */
export const isKeptOut = ({ failedAt }: Host, now: number): boolean => now - failedAt <= persistence

interface Rotation {
  readonly old: string
  readonly token: string
  readonly at: number
  /** Who asked last. */
  by: Exchange
  /** Where it is: on its way to who asked, or held there. */
  readonly holders: Map<Exchange, "OnItsWay" | "Held">
  /** Somebody knew of the loss in time, and could have tried again. */
  chance: Exchange | undefined
  isTried: boolean
  /** Somebody took over when the store had kept out who holds it. */
  isOvertaken: boolean
}

const involved = ({ by, holders }: Rotation) => [by, ...holders.keys()]

// Nobody could tell who holds it from one that is gone.
const wasMissed = (rotation: Rotation) => rotation.isOvertaken || involved(rotation).some(hasStood)

export interface Fate {
  /** The new refresh token that the store does not have yet. */
  rotation: Rotation | undefined
  /** The last one, whether the store has it or not. */
  latest: Rotation | undefined
  /** Nobody can save it, whatever the store says. */
  isDoomed: boolean
  /** Given up in the store, but not by the user. */
  isLost: boolean
  /** Given up although it could have been kept. */
  isNeedless: boolean
  /** Who sent the refresh token in the store how often. */
  sent: { token: string; readonly times: Map<Host, number> }
  /** The ids of grants that the user has ended at Zapier. */
  readonly revoked: Set<number>
}

export const unscathed = (): Fate => ({
  rotation: undefined,
  latest: undefined,
  isDoomed: false,
  isLost: false,
  isNeedless: false,
  sent: { token: "", times: new Map() },
  revoked: new Set()
})

export interface Counts {
  lost: number
  unsaveable: number
  /** Of the lost, those that could have been kept. */
  needless: number
}

const newRefreshToken = ({ body, status }: FakeResponse): string | undefined => {
  if (status !== 200) return undefined
  const { refresh_token } = JSON.parse(body)
  return typeof refresh_token === "string" ? refresh_token : undefined
}

/** What the server knows of its grants. */
export interface Grants {
  readonly graceMillis: () => number
  /** The id of a refresh token's grant. */
  readonly grantIdOf: (refreshToken: string) => number | undefined
  /** The ids of a user's grants. */
  readonly grantIdsOf: (userId: number) => ReadonlyArray<number>
}

export const make = (timeline: Timeline, { graceMillis, grantIdOf, grantIdsOf }: Grants) => {
  const counts: Counts = { lost: 0, unsaveable: 0, needless: 0 }

  const doom = (fate: Fate) => {
    fate.rotation = undefined
    if (fate.isDoomed) return
    fate.isDoomed = true
    counts.unsaveable++
  }

  const isOver = ({ at }: Rotation) => timeline.now() - at >= graceMillis()

  const lose = (fate: Fate, rotation: Rotation, by: Exchange) => {
    rotation.holders.delete(by)
    if (rotation.holders.size > 0) return
    if (isOver(rotation)) return doom(fate)
    timeline.after(rotation.at + graceMillis() - timeline.now(), () => {
      if (fate.rotation !== rotation || rotation.holders.size > 0) return
      const { chance } = rotation
      const isUsed = chance === undefined || rotation.isTried
      if (isUsed || chance.host.room.isSuspended() || isKeptOut(chance.host, timeline.now())) doom(fate)
    })
  }

  const wasRevoked = (fate: Fate, token: string) => fate.revoked.has(grantIdOf(token) ?? Number.NaN)

  /** The user or the app has ended what nobody had missed yet. */
  const forestall = (fate: Fate) => {
    fate.rotation = undefined
    if (fate.isDoomed && !fate.isLost) counts.unsaveable--
    // It was given up, and whoever held the token might have come back with it.
    if (fate.isLost && !fate.isDoomed && !fate.isNeedless) counts.lost--
    fate.isDoomed = false
  }

  return {
    counts,
    wasRevoked,

    /** A refresh token is about to be sent. */
    tried: (fate: Fate, host: Host, presented: string): Exchange => {
      if (fate.rotation?.old === presented) fate.rotation.isTried = true
      if (fate.sent.token !== presented) fate.sent = { token: presented, times: new Map() }
      const attempt = (fate.sent.times.get(host) ?? 0) + 1
      fate.sent.times.set(host, attempt)
      return { host, attempt, standstills: host.standstills }
    },

    /** The server has answered a refresh of the grant in the store. */
    answered: (fate: Fate, by: Exchange, presented: string, response: FakeResponse, isLate: boolean) => {
      const token = newRefreshToken(response)
      const { rotation } = fate
      if (token === undefined) return
      if (rotation?.token === token) {
        // An answer that goes nowhere takes nothing away from whoever has had it before.
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
        fate.rotation = made
        fate.latest = made
      }
      // Nobody is there any more to whom it could come.
      if (by.host.isGone && fate.rotation !== undefined) lose(fate, fate.rotation, by)
    },

    /** The server has ended the grant, because a refresh token that was rotated has come again. */
    reused: (fate: Fate, presented: string, isLate: boolean) => {
      const { latest } = fate
      // Whoever takes over must try what the one before may never have sent.
      if (isLate || (latest?.old === presented && wasMissed(latest))) doom(fate)
    },

    /** The answer is there. */
    delivered: (fate: Fate, by: Exchange) => {
      const { rotation } = fate
      if (rotation?.holders.has(by) === true) rotation.holders.set(by, "Held")
    },

    /** The answer will not be there any more. `isTold`: the sender is alive and learns of it. */
    missed: (fate: Fate, by: Exchange, isTold: boolean) => {
      const { rotation } = fate
      if (rotation?.holders.get(by) !== "OnItsWay") return
      if (isTold && by.attempt < 2) rotation.chance ??= by
      lose(fate, rotation, by)
    },

    /** A process is gone, with all that it held. */
    ended: (fate: Fate, host: Host) => {
      const { rotation } = fate
      if (rotation === undefined) return
      if (rotation.chance?.host === host) rotation.chance = undefined
      for (const by of rotation.holders.keys()) if (by.host === host) lose(fate, rotation, by)
    },

    /** The store has another state now. */
    stored: (fate: Fate, before: UserGrant.State, after: UserGrant.State) => {
      const token = refreshTokenOf(after)
      if (after._tag === "Absent" || before._tag === "Absent" || after.family !== before.family) {
        forestall(fate)
        fate.isLost = false
        return
      }
      if (token === fate.rotation?.token) fate.rotation = undefined
      if (after._tag === "Refreshing" && fate.rotation !== undefined) {
        const { owner } = after.lease
        const isOthers = ({ host }: Exchange) => host.owner !== owner && isKeptOut(host, timeline.now())
        if (involved(fate.rotation).some(isOthers)) fate.rotation.isOvertaken = true
      }
      const isEnded = after._tag === "ReconnectRequired"
      if (isEnded && before._tag !== "ReconnectRequired" && token !== undefined && !wasRevoked(fate, token)) {
        fate.isLost = true
        // What somebody holds who was taken for gone is lost only if it does not come back.
        const isHeld = fate.rotation !== undefined && fate.rotation.holders.size > 0 && wasMissed(fate.rotation)
        fate.isNeedless = !fate.isDoomed && !isHeld
        counts.lost++
        if (fate.isNeedless) counts.needless++
      }
      if (!isEnded && fate.isLost) {
        fate.isLost = false
        counts.lost--
        if (fate.isNeedless) counts.needless--
        if (token !== undefined && wasRevoked(fate, token)) forestall(fate)
      }
    },

    /** The user is about to end the app's access at Zapier. `stored`: the refresh token that the store has. */
    revoked: (fate: Fate, userId: number, stored: string | undefined) => {
      const ids = grantIdsOf(userId)
      for (const id of ids) fate.revoked.add(id)
      // What the server itself has ended before is not there any more for the user to end.
      const isThere = stored !== undefined && ids.some((id) => id === grantIdOf(stored))
      if (isThere && !fate.isLost) forestall(fate)
    }
  }
}

export type Fates = ReturnType<typeof make>
