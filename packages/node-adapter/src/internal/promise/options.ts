/** The options of a client without Effect: what they are, and whether a program in JavaScript has given something else. */
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

/**
 * Grants in a Postgres, for apps on several machines: its URL, and how it is used. Needs the package `@effect/sql-pg`.
 *
 * @since 0.1.0
 */
export interface PostgresStores extends Omit<PostgresOptions, "url" | "urlName" | "applicationName"> {
  /** `postgres://user:password@host:port/database`. */
  readonly postgres: string
}

/**
 * Grants in a Redis, for apps on several machines: its URL, and how it is used. Needs the package `redis`.
 *
 * @since 0.1.0
 */
export interface RedisStores extends Omit<RedisOptions, "url" | "urlName"> {
  /** `redis://user:password@host:port`, or `rediss://` for TLS. */
  readonly redis: string
}

/**
 * Grants in a store of your own, over any database with compare-and-set: functions that return promises. Their
 * conformance suite is `StoreLawsPromise` of `@zapier-workflow-auth/testing`.
 *
 * @since 0.1.0
 */
export interface CustomStores {
  readonly custom: PromiseStores.Stores
}

/**
 * Where users' grants are kept.
 *
 * - `"memory"`: they end with the process. For tests, and for trying things out.
 * - `{ directory }`: in an SQLite database in that folder, which is made and kept to its owner alone. Any number of processes
 *   of one machine may use it.
 * - `{ postgres }`: in a Postgres, for several machines.
 * - `{ redis }`: in a Redis, for several machines. It has to write each change to its disk and evict nothing.
 * - `{ custom }`: in a store of your own.
 *
 * What is not named is not loaded.
 *
 * @since 0.1.0
 */
export type Stores = "memory" | SqliteOptions | PostgresStores | RedisStores | CustomStores

/**
 * The keys that encrypt tokens where they are stored, each 32 random bytes in base64 (`openssl rand -base64 32`): one, or several, of which
 * the first encrypts and all decrypt; or a file of them, one a line.
 *
 * @since 0.1.0
 */
export type Encryption = string | ReadonlyArray<string> | { readonly file: string }

/**
 * What belongs to the process that a client is made in.
 *
 * @since 0.1.0
 */
export interface ProcessOptions {
  /**
   * Keeps a function going after its response until a promise has settled: `waitUntil` of `@vercel/functions` or
   * `cloudflare:workers`, `after` of `next/server`. It is called when a call ends that has begun something for later, such as
   * to renew a token five minutes ahead.
   */
  readonly waitUntil?: ((promise: Promise<void>) => unknown) | undefined
}

/**
 * Which app, which Zapier, where grants are kept, and the routes by which users connect. Each has a default, most of them in the
 * environment; an option goes before it.
 *
 * | option | environment | else |
 * |---|---|---|
 * | `application` | `ZAPIER_CLIENT_ID`, `ZAPIER_CLIENT_SECRET` or `ZAPIER_CLIENT_SECRET_FILE`, `ZAPIER_REDIRECT_URIS` | |
 * | `stores` | `ZAPIER_DATABASE_URL`, `ZAPIER_REDIS_URL` or `ZAPIER_DATA_DIRECTORY` | SQLite in the user's data directory |
 * | `encryption` | `ZAPIER_ENCRYPTION_KEYS` or `ZAPIER_KEY_FILE` | a file beside the SQLite database |
 * | `urls` | `ZAPIER_FAKE` | the real Zapier |
 *
 * @since 0.1.0
 */
export interface Options extends ProcessOptions {
  /**
   * Client id, secret and redirect URIs, as registered with Zapier; or a function that reads them from a secret manager, which is called
   * whenever they are needed; or a layer, for programs with Effect.
   */
  readonly application?:
    | ClientApplication.Options
    | (() => ClientApplication.Options | PromiseLike<ClientApplication.Options>)
    | Layer.Layer<ClientApplication.ClientApplication, unknown>
    | undefined
  /** Where users' grants are kept. */
  readonly stores?: Stores | undefined
  /** Which keys encrypt what is stored. A Postgres, a Redis, and a store of your own need some. */
  readonly encryption?: Encryption | undefined
  /** The routes by which users connect and disconnect: see `handler`. */
  readonly connect?: ConnectOptions | undefined
  /** Where Zapier is. What a fake of `ZAPIER_FAKE` gives out is kept apart, in a database of its own. */
  readonly urls?: ZapierUrls.Urls | undefined
  /**
   * How requests are sent, such as the fake's `fetch` in a test. Default: by undici and the proxies of the environment; or
   * `globalThis.fetch` where that has been replaced since this module was loaded, as test runners do.
   */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Timeouts and lifetimes: for example how long a caller waits for a token (`requestTimeout`). */
  readonly settings?: Settings.Options | undefined
  /**
   * When typed calls, such as `zaps.list`, are repeated after a 429 or 5xx: how often at most (`times`, default 3), and how long after
   * the first attempt another may be begun (`within`, in milliseconds or as text such as "30 seconds"; default 2 minutes).
   * `false`: never. `fetch` repeats nothing.
   */
  readonly retry?: Retry.Retry | undefined
  /** Whether a request is refused before it is sent when its scope was not granted. Default: yes. */
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

const connect = Names.plain(
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
)

// An app is registered with the fake by a name besides.
const application = Names.plain("authentication", "clientId", "clientSecret", "name", "names", "redirectUris")

const urls = Names.plain("api", "authorize", "authorizeLegacy", "connect", "token")

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
  waitUntil: {}
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== ""

const servers: { readonly [name: string]: Names.Names } = { postgres, redis, custom }

// As long as no place is named, it may be a place whose name is misspelt.
const places = ["postgres", "redis", "directory", "custom"] as const

const storesProblem = (stores: unknown): ZapierAuthError | undefined => {
  if (stores === undefined || stores === "memory") return undefined
  if (!isRecord(stores)) {
    return invalid("stores", 'give "memory", { directory }, { postgres }, { redis }, { custom }, or leave it out')
  }
  const { create, directory } = stores
  const given = places.filter((name) => stores[name] !== undefined)
  if (given.length > 1) {
    return invalid(given.map((name) => `stores.${name}`).join(", "), "give one of them: grants are in one place")
  }
  if (stores["postgres"] !== undefined && !isText(stores["postgres"])) {
    return invalid("stores.postgres", "give the URL of a Postgres as text")
  }
  if (stores["redis"] !== undefined && !isText(stores["redis"])) {
    return invalid("stores.redis", "give the URL of a Redis as text")
  }
  if (directory !== undefined && !isText(directory)) {
    return invalid("stores.directory", "give the path of a folder as text, or leave it out")
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
    "give a key of 32 bytes in base64, a list of keys, { file } with the path of a file of keys, or leave it out. Make a key with: openssl rand -base64 32"
  )
}

const inside = (given: unknown, place: string, known: Names.Names): ZapierAuthError | undefined =>
  isRecord(given) && !Layer.isLayer(given) ? Names.unknown(given, place, known, all) : undefined

// Settings have names of their own, which the core knows. Options of the client are not among them.
const settingsProblem = (settings: unknown): ZapierAuthError | undefined =>
  isRecord(settings)
    ? inside(Object.fromEntries(Object.entries(settings).filter(([name]) => Object.hasOwn(all, name))), "settings", {})
    : undefined

/** The options, as far as what they are given to does not see what is wrong. */
export const check = (options: Options): Result.Result<Options, ZapierAuthError> => {
  if (!isRecord(options)) return Result.fail(invalid("options", "give an object, or leave it out"))
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
    waitUntil
  } = options as Options
  if (fetch !== undefined && typeof fetch !== "function") {
    return Result.fail(invalid("fetch", "give a function, or leave it out"))
  }
  if (waitUntil !== undefined && typeof waitUntil !== "function") {
    return Result.fail(invalid("waitUntil", "give your platform's function that takes a promise, or leave it out"))
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
    Retry.problem(retry) ??
    settingsProblem(settings)
  return wrong === undefined ? Result.succeed(options) : Result.fail(wrong)
}
