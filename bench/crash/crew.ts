/** The processes that are killed. A killed process is replaced at once, so their number stays the same. */
import type * as Log from "./log.ts"
import type { Point } from "./points.ts"
import * as Workers from "../workers.ts"
import type { Begin, Reply, Command } from "./worker.ts"

const file = new URL("worker.ts", import.meta.url).pathname

// A process that does not reach its point within this time, in milliseconds, is killed anyway.
const patience = 10_000

export interface Member {
  readonly name: string
  readonly worker: Workers.Worker<Command>
  isReady: boolean
  /** The point at which it is killed. */
  target: Point | undefined
  /** Called when it gets there. */
  onReached: ((refreshToken: string) => void) | undefined
}

export const make = (options: {
  readonly size: number
  readonly recorder: Log.Recorder
  readonly begin: Omit<Begin, "_tag" | "name">
  readonly onTrouble: (what: string) => void
}) => {
  const { onTrouble, recorder } = options
  const members = new Map<string, Member>()
  let started = 0
  let isOver = false

  const onReply = (member: Member, reply: Reply) => {
    switch (reply._tag) {
      case "Ready":
        member.isReady = true
        return
      case "Reached":
        member.onReached?.(reply.refreshToken)
        return
      case "Returned":
        for (const refreshToken of reply.refreshTokens) recorder.returned(member.name, refreshToken)
        return
      case "NoResponse":
        recorder.withoutResponse(member.name, reply.refreshToken)
    }
  }

  const add = () => {
    const name = `crash-${++started}`
    const worker = Workers.start<Command, Reply>(file, (reply) => onReply(member, reply))
    const member: Member = { name, worker, isReady: false, target: undefined, onReached: undefined }
    members.set(name, member)
    worker.send({ _tag: "Begin", name, ...options.begin })
    void worker.ended.then(({ code, signal }) => {
      if (!members.delete(name)) return
      if (!isOver || code !== 0) onTrouble(`${name} has ended by itself: ${signal ?? code}`)
      if (!isOver) add()
    })
  }

  const die = ({ name, worker }: Member) => {
    members.delete(name)
    recorder.dies(name)
    worker.kill()
  }

  // Kills it as soon as it reaches the point. Returns the refresh token concerned, or undefined if it did not get
  // there.
  const dieAt = async (member: Member, point: Exclude<Point, "random">) => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    member.target = point
    member.onReached = (refreshToken) => {
      member.onReached = undefined
      die(member)
      resolve(refreshToken)
    }
    if (point !== "responding") member.worker.send({ _tag: "DieAt", point })
    // Processes are killed in real time. @effect-diagnostics-next-line globalTimers:off
    const timer = setTimeout(() => {
      member.onReached = undefined
      if (members.has(member.name)) die(member)
      resolve(undefined)
    }, patience)
    const refreshToken = await promise
    clearTimeout(timer)
    return refreshToken
  }

  for (let index = 0; index < options.size; index++) add()

  return {
    /** The running processes, and those among them that have begun to work. */
    living: () => [...members.values()],
    ready: () => [...members.values()].filter(({ isReady }) => isReady),

    /** The server has rotated the tokens for a process. */
    rotated: (name: string, issued: string) => {
      const member = members.get(name)
      if (member?.target === "responding") member.onReached?.(issued)
    },

    /** Kills a process, replaces it, and resolves when it has ended and all its output was read. */
    kill: async (member: Member, point: Point): Promise<Point> => {
      const refreshToken = point === "random" ? undefined : await dieAt(member, point)
      if (point === "random") die(member)
      const reached = refreshToken === undefined ? "random" : point
      recorder.killed({ process: member.name, point: reached, refreshToken })
      add()
      await member.worker.ended
      return reached
    },

    /** Lets all processes end by themselves. */
    stop: async () => {
      isOver = true
      const left = [...members.values()]
      for (const { worker } of left) worker.send({ _tag: "Stop" })
      await Promise.all(left.map(({ worker }) => worker.ended))
    },

    /** Ends all processes at once. */
    end: async () => {
      isOver = true
      const left = [...members.values()]
      for (const member of left) die(member)
      await Promise.all(left.map(({ worker }) => worker.ended))
    }
  }
}

export type Crew = ReturnType<typeof make>
