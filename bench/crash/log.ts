/** What came to be known about refreshes while processes were killed, from the server and from the processes. */
import type { Point } from "./points.ts"

/** A refresh token that the server was given, in the order in which it was. */
export interface Presentation {
  readonly process: string
  readonly presented: string
  /** The refresh token that it was answered with, unless it was refused. */
  readonly issued: string | undefined
}

export interface Kill {
  readonly process: string
  readonly point: Point
  /** The refresh token that it is about, at all points but `random`. */
  readonly refreshToken: string | undefined
}

export interface Log {
  /** Refresh tokens that were given for a consent. */
  readonly consents: ReadonlySet<string>
  readonly presentations: ReadonlyArray<Presentation>
  readonly kills: ReadonlyArray<Kill>
  /** Whether a process went on after it had presented a token: the call came to an end. */
  readonly hasReturned: (process: string, presented: string) => boolean
  /** Whether a process had no answer to what it presented, and lived. */
  readonly wentUnanswered: (process: string, presented: string) => boolean
  readonly wasKilled: (process: string) => boolean
}

const pair = (process: string, refreshToken: string) => `${process} ${refreshToken}`

export const make = () => {
  const consents = new Set<string>()
  const presentations: Array<Presentation> = []
  const kills: Array<Kill> = []
  const killed = new Set<string>()
  const returned = new Set<string>()
  const unanswered = new Set<string>()
  return {
    consented: (issued: string) => void consents.add(issued),
    presented: (process: string, presented: string, issued: string | undefined) =>
      void presentations.push({ process, presented, issued }),
    /** From now on the process is dead to whoever asks. */
    dies: (process: string) => void killed.add(process),
    killed: (kill: Kill) => void kills.push(kill),
    returned: (process: string, presented: string) => void returned.add(pair(process, presented)),
    unanswered: (process: string, presented: string) => void unanswered.add(pair(process, presented)),
    log: {
      consents,
      presentations,
      kills,
      hasReturned: (process, presented) => returned.has(pair(process, presented)),
      wentUnanswered: (process, presented) => unanswered.has(pair(process, presented)),
      wasKilled: (process) => killed.has(process)
    } satisfies Log as Log
  }
}

export type Recorder = ReturnType<typeof make>
