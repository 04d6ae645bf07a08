/** The options of a client without Effect, and their validation, because JavaScript programs ignore types. */
import type * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type * as PromiseStores from "@zapier-workflow-auth/core/store/PromiseStores"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type { Options as PostgresOptions } from "../../stores/PostgresClient.ts"
import type { Options as RedisOptions } from "../../stores/RedisClient.ts"
import type { DefaultOptions as SqliteOptions } from "../../stores/SqliteClient.ts"
import type { ConnectOptions } from "./connect.ts"
import { invalid, isRecord } from "./input.ts"
import * as Names from "./names.ts"
import * as Retry from "./retry.ts"
import type { WhiteLabelOptions } from "./whiteLabel.ts"

/**
 * Grants in Postgres, for apps on several machines. Needs the package `@effect/sql-pg`.
 *
 * @since 0.1.0
 */
export interface PostgresStores extends Omit<PostgresOptions, "url" | "urlName" | "applicationName"> {
  /** `postgres://user:password@host:port/database`. */
  readonly postgres: string
}

/**
 * Grants in Redis, for apps on several machines. Needs the package `redis`.
 *
 * @since 0.1.0
 */
export interface RedisStores extends Omit<RedisOptions, "url" | "urlName"> {
  /** `redis://user:password@host:port`, or `rediss://` for TLS. */
  readonly redis: string
}

/**
 * A store of your own for grants, over any database with compare-and-set: functions that return promises.
 *
 * Its conformance suite is `StoreLawsPromise` of `@zapier-workflow-auth/testing`.
 *
 * @since 0.1.0
 */
export interface CustomStores {
  readonly custom: PromiseStores.Stores
}

/**
 * The location of users' grants.
 *
 * - `"memory"`: lost with the process. For tests and experiments.
 * - `{ directory }`: an SQLite database in that folder, which is created private to its owner. Any number of processes on one
 *   machine may use it.
 * - `{ postgres }`: a Postgres database, for several machines.
 * - `{ redis }`: a Redis, for several machines. It must write each change to disk and evict nothing.
 * - `{ custom }`: a store of your own.
 *
 * The drivers of other stores are not loaded.
 *
 * @since 0.1.0
 */
export type Stores = "memory" | SqliteOptions | PostgresStores | RedisStores | CustomStores

/**
 * The keys that encrypt stored tokens, each 32 random bytes in base64 (`openssl rand -base64 32`).
 *
 * One key, or several, of which the first encrypts and all decrypt; or a file with one key per line.
 *
 * @since 0.1.0
 */
export type Encryption = string | ReadonlyArray<string> | { readonly file: string }

/**
 * Options of the process in which a client runs.
 *
 * @since 0.1.0
 */
export interface ProcessOptions {
  /**
   * Keeps a function alive after its response until a promise settles: `waitUntil` of `@vercel/functions` or
   * `cloudflare:workers`, `after` of `next/server`. Called at the end of a call that has begun background work, such as an
   * early renewal.
   */
  readonly waitUntil?: ((promise: Promise<void>) => unknown) | undefined
}

/**
 * The options of `ZapierPromise.make`. Defaults come mostly from the environment; options take precedence.
 *
 * | option | environment | otherwise |
 * |---|---|---|
 * | `application` | `ZAPIER_CLIENT_ID`, `ZAPIER_CLIENT_SECRET` or `ZAPIER_CLIENT_SECRET_FILE`, `ZAPIER_REDIRECT_URIS` | |
 * | `stores` | `ZAPIER_DATABASE_URL`, `ZAPIER_REDIS_URL` or `ZAPIER_DATA_DIRECTORY` | SQLite in the user's data directory |
 * | `encryption` | `ZAPIER_ENCRYPTION_KEYS` or `ZAPIER_KEY_FILE` | a file beside the SQLite database |
 * | `urls` | `ZAPIER_FAKE` | the real Zapier |
 * | `whiteLabel` | `ZAPIER_WHITE_LABEL_ISSUER` and others, see `ZapierWhiteLabel` | no White Label |
 *
 * @since 0.1.0
 */
export interface Options extends ProcessOptions {
  /**
   * Client id, secret and redirect URIs, as registered with Zapier; or a function that reads them at each use, for example
   * from a secret manager; or an Effect layer.
   */
  readonly application?:
    | ClientApplication.Options
    | (() => ClientApplication.Options | PromiseLike<ClientApplication.Options>)
    | Layer.Layer<ClientApplication.ClientApplication, unknown>
    | undefined
  /** The location of users' grants. */
  readonly stores?: Stores | undefined
  /** The keys that encrypt stored tokens. Required for Postgres, Redis and a store of your own. */
  readonly encryption?: Encryption | undefined
  /** Configures the routes with which users connect and disconnect: see `handler`. */
  readonly connect?: ConnectOptions | undefined
  /** Zapier's addresses. Tokens of the fake in `ZAPIER_FAKE` are kept in a separate database. */
  readonly urls?: ZapierUrls.Urls | undefined
  /**
   * Sends requests, for example the fake's `fetch` in a test. Default: undici with the environment's proxies, or
   * `globalThis.fetch` if that was replaced after this module was loaded, as by test runners.
   */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Timeouts and lifetimes, for example how long a caller waits for a token (`requestTimeout`). */
  readonly settings?: Settings.Options | undefined
  /**
   * Configures retries of typed calls, such as `zaps.list`, after a 429 or 5xx: the maximum number (`times`, default 3), and
   * how long after the first attempt a retry may begin (`within`, in milliseconds or as text such as "30 seconds"; default 2
   * minutes). `false` turns them off. `fetch` never retries.
   */
  readonly retry?: Retry.Retry | undefined
  /**
   * The White Label partner registered with Zapier, and the key that signs. Default: `ZAPIER_WHITE_LABEL_ISSUER` and the
   * related variables; without that variable, the mode is off.
   */
  readonly whiteLabel?: WhiteLabelOptions | undefined
  /** True to refuse a request before sending if its scope was not granted. Default: true. */
  readonly checkScopes?: boolean | undefined
}

const embedded = Names.plain("busyTimeout", "create", "directory", "name")

const postgres = Names.plain(
  "connectTimeout",
  "idleTimeout",
  "maxConnections",
  "postgres",
  "prepare",
  "statementTimeout"
)

const redis = Names.plain("ca", "commandTimeout", "connectTimeout", "name", "redis")

const custom = Names.plain("custom")

const connect = {
  ...Names.plain(
    "campaign",
    "incremental",
    "origins",
    "page",
    "path",
    "pkce",
    "redirectUri",
    "respond",
    "returnTo",
    "scopes",
    "signIn",
    "signUp",
    "subject",
    "texts"
  ),
  whiteLabel: Names.plain("tenant", "theme")
}

// Includes `name`, with which an app is registered with the fake.
const application = Names.plain("authentication", "clientId", "clientSecret", "name", "names", "redirectUris")

const urls = Names.plain("api", "authorize", "authorizeLegacy", "connect", "token")

const whiteLabel = {
  ...Names.plain("algorithm", "audience", "issuer", "key", "keyId", "scopes", "sign"),
  claims: Names.plain("tenant", "user")
}

const all: Names.Names = {
  application,
  checkScopes: {},
  connect,
  encryption: Names.plain("file"),
  fetch: {},
  retry: Retry.names,
  settings: {},
  stores: { ...embedded, ...postgres, ...redis, ...custom },
  urls,
  waitUntil: {},
  whiteLabel
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

const servers: { readonly [name: string]: Names.Names } = { postgres, redis, custom }

// If no location is named, one may be misspelled.
const places = ["postgres", "redis", "directory", "custom"] as const

const storesProblem = (stores: unknown): ZapierAuthError | undefined => {
  if (stores === undefined || stores === "memory") return undefined
  if (!isRecord(stores)) {
    return invalid("stores", 'pass "memory", { directory }, { postgres }, { redis } or { custom }, or omit it')
  }
  const { create, directory } = stores
  const given = places.filter((name) => stores[name] !== undefined)
  if (given.length > 1) {
    return invalid(given.map((name) => `stores.${name}`).join(", "), "pass only one of them")
  }
  if (stores["postgres"] !== undefined && !isText(stores["postgres"])) {
    return invalid("stores.postgres", "give the URL of a Postgres as text")
  }
  if (stores["redis"] !== undefined && !isText(stores["redis"])) {
    return invalid("stores.redis", "give the URL of a Redis as text")
  }
  if (directory !== undefined && !isText(directory)) {
    return invalid("stores.directory", "give the path of a folder as text, or omit it")
  }
  if (create !== undefined && typeof create !== "boolean") return invalid("stores.create", "give true or false")
  const place = given[0]
  const known = place === undefined ? { ...embedded, ...Names.plain(...places) } : (servers[place] ?? embedded)
  return Names.unknown(stores, "stores", known, all)
}

const encryptionProblem = (encryption: unknown): ZapierAuthError | undefined => {
  if (encryption === undefined || isText(encryption)) return undefined
  if (Array.isArray(encryption) && encryption.every(isText)) return undefined
  if (isRecord(encryption)) {
    const wrong = Names.unknown(encryption, "encryption", Names.plain("file"), all)
    if (wrong !== undefined) return wrong
    if (isText(encryption["file"])) return undefined
  }
  return invalid(
    "encryption",
    "give a key of 32 bytes in base64, a list of keys, { file } with the path of a file of keys, or omit it. Make a key with: openssl rand -base64 32"
  )
}

const inside = (given: unknown, place: string, known: Names.Names): ZapierAuthError | undefined =>
  isRecord(given) && !Layer.isLayer(given) ? Names.unknown(given, place, known, all) : undefined

// The core knows the names of settings. Find only the client's own options among them.
const settingsProblem = (settings: unknown): ZapierAuthError | undefined =>
  isRecord(settings)
    ? inside(Object.fromEntries(Object.entries(settings).filter(([name]) => Object.hasOwn(all, name))), "settings", {})
    : undefined

/** Validates the options, as far as later code does not. */
export const check = (options: Options): Result.Result<Options, ZapierAuthError> => {
  if (!isRecord(options)) return Result.fail(invalid("options", "pass an object, or omit it"))
  const {
    application: app,
    checkScopes,
    connect: routes,
    encryption,
    fetch,
    retry,
    settings,
    stores,
    urls: at,
    waitUntil,
    whiteLabel: partner
  } = options as Options
  if (fetch !== undefined && typeof fetch !== "function") {
    return Result.fail(invalid("fetch", "pass a function, or omit it"))
  }
  if (waitUntil !== undefined && typeof waitUntil !== "function") {
    return Result.fail(invalid("waitUntil", "pass your platform's waitUntil function, or omit it"))
  }
  if (checkScopes !== undefined && typeof checkScopes !== "boolean") {
    return Result.fail(invalid("checkScopes", "give true or false"))
  }
  const wrong =
    Names.unknown(options, "", all, all) ??
    inside(app, "application", application) ??
    storesProblem(stores) ??
    encryptionProblem(encryption) ??
    inside(routes, "connect", connect) ??
    inside(at, "urls", urls) ??
    inside(partner, "whiteLabel", whiteLabel) ??
    Retry.problem(retry) ??
    settingsProblem(settings)
  return wrong === undefined ? Result.succeed(options) : Result.fail(wrong)
}
