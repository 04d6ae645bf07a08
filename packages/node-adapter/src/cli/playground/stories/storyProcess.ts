/** One process of an app in a story. It carries out its parent's requests, and ends with the parent. */
// @effect-diagnostics globalDate:off asyncFunction:off newPromise:off
import { setTimeout } from "node:timers/promises"
import type { CallProblem, Client, Place } from "./client.ts"

export type Column = "ByHand" | "WithLibrary"

/** The outcome of a call. */
export type Called = { readonly status: number } | CallProblem

/** The parent's requests and their results. Times are in milliseconds. */
export interface Requests {
  readonly open: { readonly column: Column; readonly place: Place }
  readonly setClock: { readonly ahead: number }
  readonly authorizationUrl: {}
  readonly connect: { readonly callback: string }
  readonly calls: { readonly count: number; readonly apart: number }
  readonly isConnected: {}
  readonly setSecret: { readonly clientSecret: string }
}

export interface Responses {
  readonly open: void
  readonly setClock: void
  readonly authorizationUrl: string
  readonly connect: void
  readonly calls: ReadonlyArray<Called>
  readonly isConnected: boolean
  /** True if the client uses the new secret without a restart. */
  readonly setSecret: boolean
}

export type Name = keyof Requests

export type Asked = {
  readonly [N in Name]: { readonly id: number; readonly name: N; readonly input: Requests[N] }
}[Name]

export type Said = { readonly id: number; readonly result: unknown } | { readonly id: number; readonly failure: string }

// The story moves the clock, for both clients in the same way.
const outside = Date.now
let ahead = 0
Date.now = () => outside() + ahead

let client: Client

const load = async (column: Column) =>
  column === "ByHand" ? await import("./byHand.ts") : await import("./withLibrary.ts")

const problemOf = (error: unknown): CallProblem => {
  if (!(error instanceof Error)) return { message: String(error) }
  return { message: error.message, isRetryable: "isRetryable" in error && error.isRetryable === true }
}

const call = async (wait: number): Promise<Called> => {
  await setTimeout(wait)
  try {
    return { status: await client.call() }
  } catch (error) {
    return problemOf(error)
  }
}

const perform = async (asked: Asked): Promise<unknown> => {
  switch (asked.name) {
    case "open": {
      client = (await load(asked.input.column)).open(asked.input.place)
      return
    }
    case "setClock": {
      ahead = asked.input.ahead
      return
    }
    case "authorizationUrl":
      return client.authorizationUrl()
    case "connect": {
      await client.connect(asked.input.callback)
      return
    }
    case "calls": {
      const { apart, count } = asked.input
      return Promise.all(Array.from({ length: count }, (_, index) => call(index * apart)))
    }
    case "isConnected":
      return client.isConnected()
    case "setSecret": {
      client.setSecret?.(asked.input.clientSecret)
      return client.setSecret !== undefined
    }
  }
}

const say = (said: Said) => new Promise<unknown>((resolve) => process.send?.(said, resolve))

const calls = new Set<Promise<unknown>>()

process.on("message", (asked: Asked) => {
  const { id } = asked
  const call = perform(asked)
    .then(
      (result) => say({ id, result }),
      (error: unknown) => say({ id, failure: problemOf(error).message })
    )
    .finally(() => calls.delete(call))
  calls.add(call)
})
process.on("disconnect", () => process.exit(0))
// A client without a close function ends at once.
const settle = async () => {
  if (client.close === undefined) return
  await client.close()
  await Promise.all(calls)
}

process.once("SIGTERM", () => void settle().finally(() => process.exit(0)))
