/**
 * One connection to a Redis server, made when it is first needed and again when it is needed after it broke.
 *
 * A command fails at once while the server is away, because a write that waits in a queue would be sent long after its
 * caller has given up. A connection on which a command took too long is closed: Redis responds in order, so that nothing
 * behind that command would get a response either.
 */
import type { createClient as CreateClient } from "redis"
import { RedisFailure, sanitized } from "./redisFailure.ts"

export interface Settings {
  /** A URL that was checked. */
  readonly url: string
  readonly ca: string | undefined
  readonly name: string
  /** In milliseconds, or infinite. */
  readonly connectTimeout: number
  /** In milliseconds, or infinite. */
  readonly commandTimeout: number
}

// The longest that a timer of Node takes, in milliseconds.
const longest = 2 ** 31 - 1

export type Client = ReturnType<typeof CreateClient>

/** Waits so long for it. What it becomes afterwards is nobody's. */
export const within = <A>(millis: number, work: Promise<A>, onTimeout: () => void): Promise<A> => {
  if (!Number.isFinite(millis)) return work
  const { promise, reject, resolve } = Promise.withResolvers<A>()
  let isSettled = false
  const giveUp = () => {
    if (isSettled) return
    onTimeout()
    reject(new RedisFailure("ETIMEDOUT"))
  }
  // Timers go off before data is read: after a pause of the process the response may lie there already. The time is that of
  // the network, whatever clock a test has. @effect-diagnostics-next-line globalTimers:off
  const timer = setTimeout(() => setImmediate(giveUp), Math.min(Math.max(1, millis), longest))
  const settle = () => {
    isSettled = true
    clearTimeout(timer)
  }
  work.finally(settle).then(resolve, reject)
  return promise
}

/** What node-redis is told of a server. */
export const clientOptions = ({ ca, connectTimeout, name, url }: Settings) => ({
  url,
  name,
  RESP: 2 as const,
  disableOfflineQueue: true,
  maintNotifications: "disabled" as const,
  disableClientInfo: true,
  socket: {
    ...(ca === undefined ? {} : { tls: true as const, ca }),
    // Zero is none.
    connectTimeout: Number.isFinite(connectTimeout) ? Math.max(1, connectTimeout) : 0,
    reconnectStrategy: false as const
  }
})

/** Ends what is under way, and waits for nothing. */
export const destroy = (client: Client) => {
  if (client.isOpen) client.destroy()
}

/** Connects a client of its own. It keeps no process alive: the timer of a command does. */
export const open = async (createClient: typeof CreateClient, settings: Settings): Promise<Client> => {
  // The driver's type depends on the options that it is given; what is used of it does not.
  const client = createClient(clientOptions(settings)) as unknown as Client
  // Without a listener it would end the process. Those who wait are told by their commands.
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
  /** Ends commands that are under way. Waits for nothing. */
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
