/**
 * A real Redis for tests: the `redis-server` at `REDIS_SERVER_PATH`, or the one on the PATH. It listens on loopback, on a
 * port of its own, and its data is gone with it.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { connect } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { freePort } from "./freePort.ts"

export interface Server {
  readonly url: string
  readonly password: string
  readonly directory: string
  /** What its files hold. */
  readonly kept: () => string
  /** Sends it a signal: `SIGSTOP` hangs it, `SIGKILL` is a crash. */
  readonly signal: (signal: NodeJS.Signals) => void
  /** Ends it as a crash does, and waits until it is gone. */
  readonly kill: () => Promise<void>
  /** Starts it again, with what it has kept. */
  readonly start: () => Promise<void>
}

export interface Launched extends Server {
  readonly end: () => Promise<void>
}

/** The program, or why there is none. */
export const find = (): { readonly program: string } | string => {
  // @effect-diagnostics-next-line processEnv:off
  const program = process.env["REDIS_SERVER_PATH"] ?? "redis-server"
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" })
    return { program }
  } catch {
    return "there is no redis-server on the PATH, and none at REDIS_SERVER_PATH"
  }
}

/** Whether it listens, and has loaded its data. */
const isReady = (port: number, password: string) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1")
    let said = ""
    const done = (isReady: boolean) => {
      socket.destroy()
      resolve(isReady)
    }
    socket.once("connect", () => void socket.write(`AUTH ${password}\r\nPING\r\n`))
    socket.on("data", (data) => {
      said += data
      if (said.includes("+PONG")) done(true)
      else if (/^-(?!ERR)/m.test(said)) done(false)
    })
    socket.once("error", () => done(false))
    socket.once("close", () => done(false))
  })

/** As durable as it can be. */
export const durable = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]

// No test cuts the power, and what is not written to the disk survives the process.
const hasty = ["--appendonly", "yes", "--appendfsync", "no", "--save", ""]

/** Starts a server, with more flags for `redis-server` if need be. */
export const launch = async (
  { program }: { readonly program: string },
  flags: ReadonlyArray<string> = hasty,
  password: string = randomBytes(12).toString("hex")
): Promise<Launched> => {
  const directory = mkdtempSync(join(tmpdir(), "zapier-redis-"))
  const port = await freePort()
  const address = ["--bind", "127.0.0.1", "--port", String(port), "--dir", directory, "--requirepass", password]
  let child: ChildProcess | undefined
  let said = ""
  let isKilled = false

  const kill = async () => {
    const running = child
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    isKilled = true
    const ended = new Promise<void>((resolve) => running.once("exit", () => resolve()))
    running.kill("SIGKILL")
    await ended
  }

  const start = async () => {
    const started = spawn(program, [...address, ...flags], { stdio: ["ignore", "pipe", "pipe"] })
    child = started
    isKilled = false
    said = ""
    started.once("exit", (code, signal) => {
      if (!isKilled) process.stderr.write(`Redis has ended by itself (${signal ?? code}):\n${said}\n`)
    })
    for (const stream of [started.stdout, started.stderr]) {
      stream.on("data", (data) => {
        said = `${said}${data}`.slice(-4_000)
      })
    }
    while (!(await isReady(port, password))) {
      if (started.exitCode !== null) throw new Error(`Redis did not start:\n${said}`)
      await sleep(20)
    }
  }

  await start()
  return {
    url: `redis://:${password}@127.0.0.1:${port}`,
    password,
    directory,
    kept: () =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
        .join("\n"),
    signal: (signal) => void child?.kill(signal),
    kill,
    start,
    end: async () => {
      await kill()
      rmSync(directory, { recursive: true, force: true })
    }
  }
}
