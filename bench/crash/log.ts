/** The history of refreshes while processes are killed, from the server and from the processes. */
import type { Point } from "./points.ts"

/** A refresh token that the server received, in order. */
export interface Attempt {
  readonly process: string
  readonly token: string
  /** The refresh token in its response, unless it was rejected. */
  readonly issued: string | undefined
}

export interface Kill {
  readonly process: string
  readonly point: Point
  /** The refresh token concerned, at all points except `random`. */
  readonly refreshToken: string | undefined
}

export interface Log {
  /** Refresh tokens issued for a consent. */
  readonly consents: ReadonlySet<string>
  readonly attempts: ReadonlyArray<Attempt>
  readonly kills: ReadonlyArray<Kill>
  /** True if a process continued after it sent a token: the call ended. */
  readonly hasReturned: (process: string, token: string) => boolean
  /** True if a living process got no response to a token that it sent. */
  readonly gotNoResponse: (process: string, token: string) => boolean
  readonly wasKilled: (process: string) => boolean
}

const pair = (process: string, refreshToken: string) => `${process} ${refreshToken}`

export const make = () => {
  const consents = new Set<string>()
  const attempts: Array<Attempt> = []
  const kills: Array<Kill> = []
  const killed = new Set<string>()
  const returned = new Set<string>()
  const withoutResponse = new Set<string>()
  return {
    consented: (issued: string) => void consents.add(issued),
    sent: (process: string, token: string, issued: string | undefined) =>
      void attempts.push({ process, token, issued }),
    /** From now on the process counts as dead. */
    dies: (process: string) => void killed.add(process),
    killed: (kill: Kill) => void kills.push(kill),
    returned: (process: string, token: string) => void returned.add(pair(process, token)),
    withoutResponse: (process: string, token: string) => void withoutResponse.add(pair(process, token)),
    log: {
      consents,
      attempts,
      kills,
      hasReturned: (process, token) => returned.has(pair(process, token)),
      gotNoResponse: (process, token) => withoutResponse.has(pair(process, token)),
      wasKilled: (process) => killed.has(process)
    } satisfies Log as Log
  }
}

export type Recorder = ReturnType<typeof make>
