/** The targets: the fake Zapier, the sites, and an app on Express in its own process. */
import { type ChildProcess, fork } from "node:child_process"
import { format } from "node:util"
import * as Effect from "effect/Effect"
import * as Sites from "./sites.ts"
import type * as Wire from "./wire.ts"
import * as Zapier from "./zapier.ts"

/** Keeps the logs of this process's apps, to be searched instead of shown. */
const logOf = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => {
      const lines: Array<string> = []
      const own = { ...globalThis.console }
      const keep = (...parts: ReadonlyArray<unknown>) => void lines.push(format(...parts))
      Object.assign(globalThis.console, { log: keep, info: keep, debug: keep, warn: keep, error: keep })
      return { lines, own }
    }),
    ({ own }) => Effect.sync(() => Object.assign(globalThis.console, own))
  ),
  ({ lines }) => lines
)

const origin = "https://express.example"

const started = (child: ChildProcess) =>
  new Promise<{ readonly ports: ReadonlyArray<number>; readonly parsers: ReadonlyArray<string> }>((resolve, reject) => {
    child.once("message", (message) =>
      resolve(message as { readonly ports: ReadonlyArray<number>; readonly parsers: ReadonlyArray<string> })
    )
    child.once("exit", (code) => reject(new Error(`the app on Express ended with ${code}`)))
  })

const startExpress = Effect.fnUntraced(function* (zapier: Zapier.Zapier) {
  const redirectUri = `${origin}/callback`
  const clientSecret = Sites.secretOf("express")
  const application = { name: "Express", clientId: "express", clientSecret, redirectUris: [redirectUri] }
  yield* Effect.promise(() => zapier.fake.registerApp(application))
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      fork(new URL("express.ts", import.meta.url), [zapier.origin, clientSecret, redirectUri], {
        stdio: ["ignore", "ignore", "pipe", "ipc"]
      })
    ),
    (child) =>
      Effect.promise(async () => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = new Promise((resolve) => child.once("exit", resolve))
        child.kill("SIGKILL")
        await ended
      })
  )
  let said = ""
  child.stderr?.on("data", (part: Buffer) => {
    said += part.toString()
  })
  const { parsers, ports } = yield* Effect.promise(() => started(child))
  const doors = ["Express 4", "Express 5"].map((name, index): Sites.Door => ({ name, port: ports[index] ?? 0, origin }))
  return {
    doors,
    parsers,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    /** Its standard error. */
    said: () => said
  }
})

export interface Options {
  /** How many requests a flood has. */
  readonly size: number
  /** Further origins that the sites trust. Default: none. */
  readonly origins?: ReadonlyArray<string> | undefined
}

export const make = Effect.fnUntraced(function* ({ origins = [], size }: Options) {
  const log = yield* logOf
  const zapier = yield* Zapier.make
  const sites = yield* Sites.make({ zapier, attemptLifetime: 900_000, origins })
  const express = yield* startExpress(zapier)
  return {
    size,
    zapier,
    sites,
    express,
    /** Texts that must appear nowhere, and what each is. */
    secrets: new Map<string, string>(),
    /** The responses that never came, or never ended. */
    overdue: new Array<Wire.Response>(),
    /** The apps' logs. */
    said: () => `${log.join("\n")}\n${express.said()}`
  }
})

export type World = Effect.Success<ReturnType<typeof make>>
