/** Ports for programs that have to be told theirs. */
import { randomInt } from "node:crypto"
import { createServer } from "node:net"

// Below those that a system gives out by itself: to whoever listens on any port, and to each connection.
const first = 10_000
const last = 29_999

// Each worker of Vitest has some of them to itself: two must not find the same port free before either listens on it.
const share = 300
const shares = Math.floor((last - first + 1) / share)
// @effect-diagnostics-next-line processEnv:off
const own = first + (Number(process.env["VITEST_POOL_ID"] ?? 0) % shares) * share

const isFree = (port: number) =>
  new Promise<boolean>((resolve) => {
    const probe = createServer()
    probe.once("error", () => resolve(false))
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)))
  })

/** A port that nobody listens on, and that nobody gets who does not ask for this very one. */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(own, own + share)
    if (await isFree(port)) return port
  }
  throw new Error(`no port of 100 between ${own} and ${own + share - 1} is free`)
}
