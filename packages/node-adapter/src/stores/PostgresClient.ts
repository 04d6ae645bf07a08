/**
 * Postgres, for apps on several machines: a pool of connections through `@effect/sql-pg`.
 *
 * That package is an optional peer: `npm install @effect/sql-pg`. It is loaded when the first client is made, so that
 * whoever keeps grants elsewhere needs none.
 *
 * A connection that breaks is replaced at the next use. A statement that was under way fails, and whether a write was
 * carried out is then unknown, which the library is made for; nothing is retried here.
 *
 * What is committed is on the server's disk before the commit returns, as long as `synchronous_commit` and `fsync` are
 * on there, which they are unless somebody turned them off. With a standby to fail over to, make replication synchronous:
 * a rotated refresh token that is lost with a server is a user who must reconnect.
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
 * Which server, and how it is used.
 *
 * @since 0.1.0
 */
export interface Options {
  /** `postgres://user:password@host:port/database`, with `?sslmode=require` for servers that are reached over a network. */
  readonly url: Redacted.Redacted
  /** What errors call the URL, where it comes from elsewhere: `DATABASE_URL`. Default: `url`. */
  readonly urlName?: string | undefined
  /** How many connections there are at most. Default: 10. */
  readonly maxConnections?: number | undefined
  /** How long to wait for a connection. In milliseconds, or a duration. Default: 5 seconds. */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * How long a connection stays open that nobody uses. In milliseconds, or a duration. Default: 10 seconds. Open connections
   * keep the process alive, so that one that is not closed ends by itself within twice that time.
   */
  readonly idleTimeout?: Duration.Input | undefined
  /**
   * How long a statement may take before the server ends it. In milliseconds, or a duration. Default: 5 seconds. Poolers
   * like PgBouncer refuse connections that set it: give them `Duration.infinity`, and set it in the database.
   */
  readonly statementTimeout?: Duration.Input | undefined
  /** Whether the server keeps prepared statements: not where a pooler hands out another connection each time. Default: yes. */
  readonly prepare?: boolean | undefined
  /** Under which name the server lists the connections. Default: `zapier-workflow-auth`. */
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
  // In milliseconds; zero would mean none.
  return Duration.isFinite(timeout)
    ? { statement_timeout: String(Math.max(1, Math.round(Duration.toMillis(timeout)))) }
    : {}
}

const loadDriver = (setting: string) =>
  OptionalPackage.load("@effect/sql-pg", setting, () =>
    import("@effect/sql-pg/PgClient").catch(OptionalPackage.unlessMissing)
  )

/**
 * A client whose connections are closed with the scope. Connections are made when they are needed: a server that is away
 * fails the first statement, not this.
 *
 * Fails with an `SqlError` when the URL is not one of a Postgres server, and with `InvalidConfig` when `@effect/sql-pg` is
 * not installed.
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

const advice = "give postgres://user:password@host:port/database, with what is special in the password percent-encoded"

const refused = (setting: string, problem: string) =>
  ZapierAuthError.make(new InvalidConfig({ setting, problem: `${problem}; ${advice}` }))

const opened = Effect.fnUntraced(function* (options: Options) {
  // The driver would try defaults in the place of what it cannot read, and tell of it at the first statement.
  const problem = PostgresUrl.problemOf(Redacted.value(options.url))
  if (problem !== undefined) return yield* refused(options.urlName ?? "url", problem)
  return yield* Effect.catchTag(make(options), "SqlError", (error) =>
    ZapierAuthError.make(
      new StoreFailed({ store: "Postgres database", operation: "be opened", problem: problemOf(error) })
    )
  )
})

/**
 * An `SqlClient` over a Postgres server.
 *
 * Fails with `InvalidConfig` when the URL is not one of a Postgres server, or `@effect/sql-pg` is not installed.
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
 * An `SqlClient` over the Postgres server whose URL is in the environment: `DATABASE_URL`.
 *
 * Fails with `InvalidConfig` when it is not set or not the URL of a Postgres server, or `@effect/sql-pg` is not installed.
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
