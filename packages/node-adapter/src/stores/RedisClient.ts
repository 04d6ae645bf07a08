/**
 * Redis for `RedisStores`: a connection to one server, or to the servers of a Redis Cluster.
 *
 * The driver is node-redis, an optional peer dependency: `npm install redis`. It is loaded when the first client is made.
 *
 * A broken connection is replaced at the next use. The command in progress fails, and it is unknown if a write was carried
 * out, which the library is made for; it is not retried here. While the server is unavailable, commands fail at once. Errors
 * contain no key, argument or reply.
 *
 * @since 0.1.0
 */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Config from "effect/Config"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Cluster from "../internal/redisCluster.ts"
import * as Connection from "../internal/redisConnection.ts"
import * as OptionalPackage from "../internal/optionalPackage.ts"
import { withQuietClock } from "../internal/quietClock.ts"
import { sanitized } from "../internal/redisFailure.ts"
import * as RedisUrl from "../internal/redisUrl.ts"

/**
 * The options of a connection.
 *
 * @since 0.1.0
 */
export interface ConnectionOptions {
  /** The URL's name in errors, if you read it from elsewhere: `REDIS_URL`. Default: `url`. */
  readonly urlName?: string | undefined
  /** The certificate authorities (PEM) for a `rediss:` server, instead of Node's. */
  readonly ca?: string | undefined
  /** How long to wait for a connection. In milliseconds, or a duration. Default: 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * How long to wait for the response to a command. In milliseconds, or a duration. Default: 5 seconds. After that the
   * connection is replaced, because later commands would wait too.
   */
  readonly commandTimeout?: Duration.Input | undefined
  /** The connection's name in the server's lists. Default: `zapier-workflow-auth`. */
  readonly name?: string | undefined
}

/**
 * The options of a connection to one server.
 *
 * @since 0.1.0
 */
export interface Options extends ConnectionOptions {
  /**
   * `redis://user:password@host:port/database`, `rediss://` for TLS, or `unix:///path/to/socket?db=database`. Only the host
   * is required.
   */
  readonly url: Redacted.Redacted
}

/**
 * The options of connections to a cluster.
 *
 * @since 0.1.0
 */
export interface ClusterOptions extends ConnectionOptions {
  /**
   * Some of its servers, as in `Options`; the others are discovered. All use the user and password of the first URL, and all
   * or none use TLS.
   */
  readonly urls: readonly [Redacted.Redacted, ...ReadonlyArray<Redacted.Redacted>]
}

const importDriver = () => import("redis").catch(OptionalPackage.unlessMissing)

const loadDriver = ({ urlName = "RedisClient" }: ConnectionOptions) =>
  OptionalPackage.load("redis", urlName, importDriver)

const millis = (input: Duration.Input | undefined) => Duration.toMillis(input ?? Duration.seconds(5))

const settingsOf = (options: ConnectionOptions, url: string): Connection.Settings => ({
  url,
  ca: options.ca,
  name: options.name ?? "zapier-workflow-auth",
  connectTimeout: millis(options.connectTimeout),
  commandTimeout: millis(options.commandTimeout)
})

const attempt = <A>(work: () => Promise<A>): Effect.Effect<A, Redis.RedisError> =>
  Effect.tryPromise({ try: work, catch: (cause) => new Redis.RedisError({ cause: sanitized(cause) }) })

const sending =
  (connection: Connection.Connection): Redis.Redis["Service"]["send"] =>
  <A>(command: string, ...args: ReadonlyArray<string>) =>
    attempt(() => connection.send([command, ...args]) as Promise<A>)

const closing = (connection: Connection.Connection) => Effect.sync(connection.close)

const advice =
  "give redis://user:password@host:port, or rediss:// for TLS, with special characters in the password percent-encoded"

const refused = (setting: string, problem: string) =>
  ZapierAuthError.make(new InvalidConfig({ setting, problem: `${problem}; ${advice}` }))

const checked = (options: ConnectionOptions, url: Redacted.Redacted) => {
  const text = Redacted.value(url)
  const problem = RedisUrl.problemOf(text)
  if (problem !== undefined) return refused(options.urlName ?? "url", problem)
  if (options.ca !== undefined && !text.startsWith("rediss:")) {
    return refused(options.urlName ?? "url", "it must begin with rediss:// if ca is set")
  }
  return Effect.succeed(text)
}

type Driver = NonNullable<Awaited<ReturnType<typeof importDriver>>>

/** Effect's service, over a shared connection for commands, and new connections for blocking use and subscriptions. */
const serviceOf = (
  { createClient }: Driver,
  connection: Connection.Connection,
  settings: Connection.Settings
): Effect.Effect<Redis.Redis["Service"], never, Scope.Scope> =>
  withQuietClock(
    Redis.make({
      send: sending(connection),
      connect: Effect.sync(() => {
        const own = Connection.make(createClient, settings)
        return { send: sending(own), close: closing(own) }
      }),
      subscribe: (channel, onMessage) =>
        Effect.gen(function* () {
          const ended = yield* Deferred.make<void, Redis.RedisError>()
          const client = yield* Effect.acquireRelease(
            attempt(() => Connection.open(createClient, settings)),
            (client) => Effect.sync(() => Connection.destroy(client))
          )
          client.on("error", (cause) => {
            Deferred.doneUnsafe(ended, Effect.fail(new Redis.RedisError({ cause: sanitized(cause) })))
          })
          yield* attempt(() => client.subscribe(channel, (message, channel) => onMessage({ channel, message })))
          return ended
        }).pipe(Effect.map((ended) => Deferred.await(ended)))
    })
  )

/**
 * Makes a client whose connection closes with the scope.
 *
 * The connection is made on demand, so an unavailable server fails the first command, not this. Fails with `InvalidConfig`
 * if the URL is not that of a Redis server, or `redis` is not installed.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Redis.Redis["Service"], ZapierAuthError, Scope.Scope> {
  const settings = settingsOf(options, yield* checked(options, options.url))
  const driver = yield* loadDriver(options)
  const connection = yield* Effect.acquireRelease(
    Effect.sync(() => Connection.make(driver.createClient, settings)),
    closing
  )
  return yield* serviceOf(driver, connection, settings)
})

/**
 * Provides Effect's `Redis` over one server.
 *
 * Fails with `InvalidConfig` if the URL is not that of a Redis server, or `redis` is not installed.
 *
 * @example
 * ```ts
 * import * as RedisClient from "@zapier-workflow-auth/node-adapter/stores/RedisClient"
 * import * as RedisStores from "@zapier-workflow-auth/node-adapter/stores/RedisStores"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * const url = Redacted.make("rediss://app:a-password@redis.example.com:6380")
 *
 * RedisStores.layer.pipe(Layer.provide(RedisClient.layer({ url })))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Redis.Redis, ZapierAuthError> =>
  Layer.effect(Redis.Redis, make(options))

/**
 * Provides Effect's `Redis` over a Redis Cluster. All keys of a client application are on one server.
 *
 * To send your own commands: the key must be the first argument, or the first key of `EVAL` and `EVALSHA`. `INFO`, `CONFIG`,
 * `SCAN` and `PING` go to any server. Open connections keep the process alive until the layer is closed.
 *
 * Fails with `InvalidConfig` if a URL is not that of a Redis server, or `redis` is not installed.
 *
 * @example
 * ```ts
 * import * as RedisClient from "@zapier-workflow-auth/node-adapter/stores/RedisClient"
 * import * as RedisStores from "@zapier-workflow-auth/node-adapter/stores/RedisStores"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * const urls = [Redacted.make("redis://10.0.0.1:6379"), Redacted.make("redis://10.0.0.2:6379")] as const
 *
 * RedisStores.layer.pipe(Layer.provide(RedisClient.layerCluster({ urls })))
 * ```
 *
 * @since 0.1.0
 */
export const layerCluster = (options: ClusterOptions): Layer.Layer<Redis.Redis, ZapierAuthError> =>
  Layer.effect(
    Redis.Redis,
    Effect.gen(function* () {
      const urls = yield* Effect.forEach(options.urls, (url) => checked(options, url))
      const settings = settingsOf(options, urls[0] ?? "")
      const driver = yield* loadDriver(options)
      const cluster = yield* Effect.acquireRelease(
        Effect.sync(() => Cluster.make(driver.createCluster, settings, urls)),
        closing
      )
      return yield* serviceOf(driver, cluster, settings)
    })
  )

const variable = "REDIS_URL"

/**
 * Provides Effect's `Redis` over the server in the environment's `REDIS_URL`.
 *
 * Fails with `InvalidConfig` if it is not set or not the URL of a Redis server, or `redis` is not installed.
 *
 * @since 0.1.0
 */
export const layerConfig = (
  options: Omit<ConnectionOptions, "urlName"> = {}
): Layer.Layer<Redis.Redis, ZapierAuthError> =>
  Layer.effect(
    Redis.Redis,
    Config.option(Config.Redacted(variable)).pipe(
      Effect.mapError(() => refused(variable, "it cannot be read")),
      Effect.flatMap((url) =>
        Option.isNone(url)
          ? refused(variable, "it is not set")
          : make({ ...options, url: url.value, urlName: variable })
      )
    )
  )
