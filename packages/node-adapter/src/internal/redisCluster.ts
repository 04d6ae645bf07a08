/** Connections to the servers of a Redis Cluster. Each command goes to the server of its key. */
import type { createCluster as CreateCluster } from "redis"
import { clientOptions, type Connection, type Settings, within } from "./redisConnection.ts"
import { RedisFailure, sanitized } from "./redisFailure.ts"

// Commands without a key that this library or Effect's Redis sends.
const keyless = new Set(["CLUSTER", "CONFIG", "INFO", "PING", "SCAN", "SCRIPT"])

const withKeyCount = new Set(["EVAL", "EVALSHA"])

/** The first key of a command: its first argument, except in scripts. */
const keyOf = ([command = "", ...args]: ReadonlyArray<string>): string | undefined => {
  const name = command.toUpperCase()
  if (withKeyCount.has(name)) return args[1] === "0" ? undefined : args[2]
  return keyless.has(name) ? undefined : args[0]
}

export const make = (
  createCluster: typeof CreateCluster,
  settings: Omit<Settings, "url">,
  urls: ReadonlyArray<string>
): Connection => {
  const nodes = urls.map((url) => clientOptions({ ...settings, url }))
  const { password, protocol, username } = new URL(urls[0] ?? "redis://localhost")

  const start = async () => {
    const options = clientOptions({ ...settings, url: "" })
    const { reconnectStrategy: _, ...socket } = options.socket
    const cluster = createCluster({
      RESP: 2,
      rootNodes: nodes,
      defaults: {
        ...options,
        url: undefined,
        ...(username === "" ? {} : { username: decodeURIComponent(username) }),
        ...(password === "" ? {} : { password: decodeURIComponent(password) }),
        // Lets the driver rediscover the other servers after an outage.
        socket: protocol === "rediss:" ? { ...socket, tls: true } : socket
      } as never
    })
    cluster.on("error", () => undefined)
    try {
      await within(settings.connectTimeout, cluster.connect(), () => cluster.destroy())
      return cluster
    } catch (cause) {
      throw sanitized(cause)
    }
  }

  let current: ReturnType<typeof start> | undefined
  let isClosed = false

  const connect = () => {
    const connecting = start()
    current = connecting
    connecting.then(
      (cluster) => {
        if (isClosed) cluster.destroy()
      },
      () => {
        current = undefined
      }
    )
    return connecting
  }

  type Cluster = Awaited<ReturnType<typeof start>>

  const sendTo = async (cluster: Cluster, args: ReadonlyArray<string>): Promise<unknown> => {
    const command = [...args]
    // Each server keeps its own scripts.
    if (command[0] !== "SCRIPT") return await cluster.sendCommand(keyOf(command), false, command)
    const clients = await Promise.all(cluster.masters.map((server) => cluster.nodeClient(server)))
    const replies = await Promise.all(clients.map((client) => client.sendCommand(command)))
    return replies[0]
  }

  return {
    send: async (args) => {
      if (isClosed) throw new RedisFailure("CLOSED")
      const cluster = await (current ?? connect())
      try {
        return await within(settings.commandTimeout, sendTo(cluster, args), () => undefined)
      } catch (cause) {
        throw sanitized(cause)
      }
    },
    close: () => {
      if (isClosed) return
      isClosed = true
      current?.then(
        (cluster) => cluster.destroy(),
        () => undefined
      )
    }
  }
}
