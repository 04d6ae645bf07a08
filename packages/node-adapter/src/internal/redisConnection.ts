/**
 * A connection to a Redis server, made on first use, and again on the next use after it broke.
 *
 * While the server is unavailable, commands fail at once, because a queued write would be sent long after its caller has
 * given up. A connection on which a command timed out is closed: Redis responds in order, so later commands would wait too.
 */
import type { createClient as CreateClient } from "redis"
import { RedisFailure, sanitized } from "./redisFailure.ts"

export interface Settings {
  /** A validated URL. */
  readonly url: string
  readonly ca: string | undefined
  readonly name: string
  /** In milliseconds, or infinite. */
  readonly connectTimeout: number
  /** In milliseconds, or infinite. */
  readonly commandTimeout: number
}

// The longest delay of a Node timer, in milliseconds.
const longest = 2 ** 31 - 1

export type Client = ReturnType<typeof CreateClient>

/** Waits for a promise, at most for the given time. Its later outcome is ignored. */
export const within = <A>(millis: number, work: Promise<A>, onTimeout: () => void): Promise<A> => {
  if (!Number.isFinite(millis)) return work
  const { promise, reject, resolve } = Promise.withResolvers<A>()
  let isSettled = false
  const giveUp = () => {
    if (isSettled) return
    onTimeout()
    reject(new RedisFailure("ETIMEDOUT"))
  }
  // Timers fire before data is read: after a pause of the process the response may have arrived already. Network time is
  // real time, even under a test clock. @effect-diagnostics-next-line globalTimers:off
  const timer = setTimeout(() => setImmediate(giveUp), Math.min(Math.max(1, millis), longest))
  const settle = () => {
    isSettled = true
    clearTimeout(timer)
  }
  work.finally(settle).then(resolve, reject)
  return promise
}

/** The options of node-redis for a server. */
export const clientOptions = ({ ca, connectTimeout, name, url }: Settings) => ({
  url,
  name,
  RESP: 2 as const,
  disableOfflineQueue: true,
  maintNotifications: "disabled" as const,
  disableClientInfo: true,
  socket: {
    ...(ca === undefined ? {} : { tls: true as const, ca }),
    // Zero means no timeout.
    connectTimeout: Number.isFinite(connectTimeout) ? Math.max(1, connectTimeout) : 0,
    reconnectStrategy: false as const
  }
})

/** Ends commands in progress without waiting. */
export const destroy = (client: Client) => {
  if (client.isOpen) client.destroy()
}

/** Connects a new client. It does not keep the process alive, except while a command's timer runs. */
export const open = async (createClient: typeof CreateClient, settings: Settings): Promise<Client> => {
  // The driver's type depends on its options, but the part used here does not.
  const client = createClient(clientOptions(settings)) as unknown as Client
  // Without a listener, an error would end the process. Waiting commands report it.
  client.on("error", () => undefined)
  client.unref()
  try {
    await within(settings.connectTimeout, client.connect(), () => destroy(client))
    return client
  } catch (cause) {
    destroy(client)
    throw sanitized(cause)
  }
}

export interface Connection {
  readonly send: (args: ReadonlyArray<string>) => Promise<unknown>
  /** Ends commands in progress without waiting. */
  readonly close: () => void
}

export const make = (createClient: typeof CreateClient, settings: Settings): Connection => {
  let current: Promise<Client> | undefined
  let isClosed = false

  const drop = (connecting: Promise<Client>) => {
    if (current === connecting) current = undefined
  }

  const connect = () => {
    const connecting = open(createClient, settings)
    current = connecting
    connecting.then(
      (client) => {
        if (isClosed) destroy(client)
      },
      () => drop(connecting)
    )
    return connecting
  }

  const ready = async () => {
    if (isClosed) throw new RedisFailure("CLOSED")
    const connecting = current ?? connect()
    const client = await connecting
    if (client.isReady) return { client, connecting }
    drop(connecting)
    const again = current ?? connect()
    return { client: await again, connecting: again }
  }

  return {
    send: async (args) => {
      const { client, connecting } = await ready()
      try {
        return await within(settings.commandTimeout, client.sendCommand([...args]), () => {
          drop(connecting)
          destroy(client)
        })
      } catch (cause) {
        throw sanitized(cause)
      }
    },
    close: () => {
      isClosed = true
      current?.then(destroy, () => undefined)
    }
  }
}
