/**
 * Postgres for apps on several machines: a pool of connections by `@effect/sql-pg`.
 *
 * That package is an optional peer dependency: `npm install @effect/sql-pg`. It is loaded when the first client is made.
 *
 * A broken connection is replaced at the next use. The statement in progress fails, and it is unknown if a write was carried
 * out, which the library is made for; it is not retried here.
 *
 * A committed write is on the server's disk as long as the server's `synchronous_commit` and `fsync` are on, which is the
 * default. If you fail over to a standby, make replication synchronous: a rotated refresh token that is lost with a server
 * forces its user to reconnect.
 *
 * @since 0.1.0
 */
import { InvalidConfig, StoreFailed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import * as OptionalPackage from "../internal/optionalPackage.ts"
import { withQuietClock } from "../internal/quietClock.ts"
import * as PostgresUrl from "../internal/postgresUrl.ts"
import { problemOf } from "../internal/sqlProblem.ts"

/**
 * The options of the connection pool.
 *
 * @since 0.1.0
 */
export interface Options {
  /** `postgres://user:password@host:port/database`, with `?sslmode=require` for servers across a network. */
  readonly url: Redacted.Redacted
  /** The URL's name in errors, if you read it from elsewhere: `DATABASE_URL`. Default: `url`. */
  readonly urlName?: string | undefined
  /** The maximum number of connections. Default: 10. */
  readonly maxConnections?: number | undefined
  /** How long to wait for a connection. In milliseconds, or a duration. Default: 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * How long an unused connection stays open. In milliseconds, or a duration. Default: 10 seconds. Open connections keep the
   * process alive, so an unclosed pool lets it end within twice that time.
   */
  readonly idleTimeout?: Duration.Input | undefined
  /**
   * How long a statement may take before the server ends it. In milliseconds, or a duration. Default: 5 seconds. Poolers such
   * as PgBouncer refuse this setting: pass `Duration.infinity`, and set it in the database.
   */
  readonly statementTimeout?: Duration.Input | undefined
  /** True to use prepared statements; false for poolers that switch connections. Default: true. */
  readonly prepare?: boolean | undefined
  /** The connections' name in the server's lists. Default: `zapier-workflow-auth`. */
  readonly applicationName?: string | undefined
}

const defaults = {
  maxConnections: 10,
  connectTimeout: Duration.seconds(5),
  idleTimeout: Duration.seconds(10),
  statementTimeout: Duration.seconds(5)
}

const timeouts = (input: Duration.Input): { readonly [name: string]: string } => {
  const timeout = Duration.fromInputUnsafe(input)
  // In milliseconds. Zero would mean no timeout.
  return Duration.isFinite(timeout)
    ? { statement_timeout: String(Math.max(1, Math.round(Duration.toMillis(timeout)))) }
    : {}
}

const loadDriver = (setting: string) =>
  OptionalPackage.load("@effect/sql-pg", setting, () =>
    import("@effect/sql-pg/PgClient").catch(OptionalPackage.unlessMissing)
  )

/**
 * Makes a client whose connections close with the scope.
 *
 * Connections are made on demand, so an unavailable server fails the first statement, not this. Fails with an `SqlError` if
 * the URL is not that of a Postgres server, and with `InvalidConfig` if `@effect/sql-pg` is not installed.
 *
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<SqlClient.SqlClient, SqlError | ZapierAuthError, Scope.Scope | Reactivity.Reactivity> {
  const PgClient = yield* loadDriver(options.urlName ?? "PostgresClient")
  const client: SqlClient.SqlClient = yield* withQuietClock(
    PgClient.make({
      url: options.url,
      maxConnections: options.maxConnections ?? defaults.maxConnections,
      connectTimeout: options.connectTimeout ?? defaults.connectTimeout,
      idleTimeout: options.idleTimeout ?? defaults.idleTimeout,
      prepare: options.prepare ?? true,
      applicationName: options.applicationName ?? "zapier-workflow-auth",
      startupParameters: timeouts(options.statementTimeout ?? defaults.statementTimeout)
    })
  )
  return client
})

const advice =
  "give postgres://user:password@host:port/database, with special characters in the password percent-encoded"

const refused = (setting: string, problem: string) =>
  ZapierAuthError.make(new InvalidConfig({ setting, problem: `${problem}; ${advice}` }))

const opened = Effect.fnUntraced(function* (options: Options) {
  // The driver would use defaults instead of unreadable parts, and fail only at the first statement.
  const problem = PostgresUrl.problemOf(Redacted.value(options.url))
  if (problem !== undefined) return yield* refused(options.urlName ?? "url", problem)
  return yield* Effect.catchTag(make(options), "SqlError", (error) =>
    ZapierAuthError.make(
      new StoreFailed({ store: "Postgres database", operation: "be opened", problem: problemOf(error) })
    )
  )
})

/**
 * Provides an `SqlClient` over a Postgres server.
 *
 * Fails with `InvalidConfig` if the URL is not that of a Postgres server, or `@effect/sql-pg` is not installed.
 *
 * @example
 * ```ts
 * import * as PostgresClient from "@zapier-workflow-auth/node-adapter/stores/PostgresClient"
 * import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * const url = Redacted.make("postgres://app:a-password@db.example.com/app?sslmode=require")
 *
 * SqlStores.layer.pipe(Layer.provide(PostgresClient.layer({ url })))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, ZapierAuthError> =>
  Layer.effect(SqlClient.SqlClient, opened(options)).pipe(Layer.provide(Reactivity.layer))

const variable = "DATABASE_URL"

/**
 * Provides an `SqlClient` over the Postgres server in the environment's `DATABASE_URL`.
 *
 * Fails with `InvalidConfig` if it is not set or not the URL of a Postgres server, or `@effect/sql-pg` is not installed.
 *
 * @since 0.1.0
 */
export const layerConfig = (
  options: Omit<Options, "url" | "urlName"> = {}
): Layer.Layer<SqlClient.SqlClient, ZapierAuthError> =>
  Layer.effect(
    SqlClient.SqlClient,
    Config.option(Config.Redacted(variable)).pipe(
      Effect.mapError(() => refused(variable, "it cannot be read")),
      Effect.flatMap((url) =>
        Option.isNone(url)
          ? refused(variable, "it is not set")
          : opened({ ...options, url: url.value, urlName: variable })
      )
    )
  ).pipe(Layer.provide(Reactivity.layer))
