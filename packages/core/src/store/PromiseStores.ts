/**
 * Custom stores for programs without Effect, over any database with compare-and-set.
 *
 * The functions return promises. A record is text. Keys contain no NUL and no unpaired surrogate, so that every database
 * accepts them. A version is an integer from 1. The versions of a key only increase, even after a removal, like those of a
 * database sequence.
 *
 * A function that rejects, throws, returns an invalid value, or does not respond within `storeTimeout` causes `StoreFailed`. It
 * has the name of the error only, because the message may contain a record.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as CallerChecks from "../internal/callerChecks.ts"
import * as Defects from "../internal/defects.ts"
import { StoreFailed, type ZapierAuthError } from "../ZapierAuthError.ts"
import * as AppCredentialStore from "./AppCredentialStore.ts"
import { AttemptStore } from "./AttemptStore.ts"
import { type Grant, GrantStore, type Key as GrantKey, type PageOptions } from "./GrantStore.ts"
import * as KeyText from "./KeyText.ts"
import * as RecordCodec from "./RecordCodec.ts"
import type { Versioned, VersionedStore } from "./VersionedStore.ts"

type Awaitable<A> = A | PromiseLike<A>

/**
 * A stored record. Some drivers return the version as a bigint or as digits.
 *
 * @since 0.1.0
 */
export interface Found {
  readonly version: number | bigint | string
  readonly record: string
}

/**
 * A table of records with versions. A `Row` is the record to write, with the columns to look it up by.
 *
 * @since 0.1.0
 */
export interface Table<Key, Row> {
  /** Returns the record of a key, if it exists. */
  readonly get: (key: Key) => Awaitable<Found | null | undefined>
  /**
   * Writes the row if the record has the expected version, or does not exist and none is expected. Returns true if written.
   * It must compare and write atomically: of several writers that expect the same version, one succeeds.
   */
  readonly compareAndSet: (key: Key, expected: number | undefined, row: Row) => Awaitable<boolean>
  /** Removes the record if it has the expected version. Returns true if removed. */
  readonly remove: (key: Key, expected: number) => Awaitable<boolean>
}

/**
 * A grant to write.
 *
 * @since 0.1.0
 */
export interface GrantRow {
  readonly record: string
  /** The grant's state, for listing grants by state. */
  readonly state: Grant["_tag"]
}

/**
 * Users' grants.
 *
 * @since 0.1.0
 */
export interface Grants extends Table<GrantKey, GrantRow> {
  /** Returns up to `limit` grants in the order of their subjects (see `PageOptions`); fewer only at the end. */
  readonly page: (options: PageOptions) => Awaitable<ReadonlyArray<Found & { readonly subject: string }>>
}

/**
 * A consent attempt to write. Times are milliseconds since the epoch.
 *
 * @since 0.1.0
 */
export interface AttemptRow {
  readonly record: string
  readonly subject: string
  readonly startedAt: number
  /** The store may forget the attempt an hour later (`AttemptStore.retention`), and should. */
  readonly expiresAt: number
}

/**
 * Consent attempts. The key is text.
 *
 * @since 0.1.0
 */
export interface Attempts extends Table<string, AttemptRow> {
  /** Returns up to `limit` attempts of a subject after the first `skip`, newest first by `startedAt`. */
  readonly bySubject: (options: {
    readonly subject: string
    readonly skip: number
    readonly limit: number
  }) => Awaitable<ReadonlyArray<Found & { readonly key: string }>>
}

/**
 * A custom store.
 *
 * @since 0.1.0
 */
export interface Stores {
  readonly grants: Grants
  readonly attempts: Attempts
  /** The app's own tokens. Default: each process keeps its own in memory, which Zapier allows. */
  readonly appTokens?: Table<AppCredentialStore.Key, { readonly record: string }> | undefined
}

// The type only, because the value may be a record.
const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return `${value}`
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`
}

const versionOf = (version: unknown): number => {
  const isDigits = typeof version === "bigint" || (typeof version === "string" && /^[0-9]+$/.test(version))
  return isDigits ? Number(version) : typeof version === "number" ? version : Number.NaN
}

const make = <Key, A, Row>(
  store: string,
  {
    codec,
    key,
    row,
    table
  }: {
    readonly table: Table<Key, Row>
    readonly codec: RecordCodec.RecordCodec<A>
    readonly key: (key: Key) => Key
    readonly row: (record: string, value: A) => Row
  }
) => {
  const failed = (operation: string, problem: string) => new StoreFailed({ store, operation, problem })

  const ask = <B>(
    operation: string,
    call: () => Awaitable<unknown>,
    wanted: string,
    is: (given: unknown) => given is B
  ): Effect.Effect<B, StoreFailed> =>
    Effect.tryPromise({
      try: async () => call(),
      catch: (cause) => failed(operation, `it failed with ${Defects.nameOf(cause)}`)
    }).pipe(Effect.filterOrFail(is, (given) => failed(operation, `it returned ${kindOf(given)} instead of ${wanted}`)))

  const decode = ({ record, version }: Found): Result.Result<Versioned<A>, StoreFailed> => {
    const number = versionOf(version)
    const value = Number.isSafeInteger(number) ? codec.decode(record) : Option.none()
    return Option.match(value, {
      onNone: () => Result.fail(failed("read a record", RecordCodec.unreadable)),
      onSome: (value) => Result.succeed({ version: number, value })
    })
  }

  const isFound = (given: unknown): given is Found =>
    CallerChecks.isRecord(given) && typeof given["record"] === "string" && given["version"] !== undefined

  const isFoundOrNone = (given: unknown): given is Found | null | undefined =>
    given === undefined || given === null || isFound(given)

  const isBoolean = (given: unknown): given is boolean => typeof given === "boolean"

  const records: VersionedStore<Key, A> = {
    get: (of) =>
      ask("read a record", () => table.get(key(of)), "{ version, record }, or undefined", isFoundOrNone).pipe(
        Effect.flatMap((found) =>
          found === undefined || found === null ? Effect.succeedNone : Effect.asSome(Effect.fromResult(decode(found)))
        )
      ),
    compareAndSet: (of, expected, value) =>
      ask(
        "write a record",
        () => table.compareAndSet(key(of), Option.getOrUndefined(expected), row(codec.encode(value), value)),
        "true or false",
        isBoolean
      ),
    remove: (of, expected) => ask("remove a record", () => table.remove(key(of), expected), "true or false", isBoolean)
  }

  /** Reads rows, each with its key in the member `name`. */
  const list = <Name extends string>(name: Name, operation: string, call: () => Awaitable<unknown>) =>
    ask(
      operation,
      call,
      `a list of { ${name}, version, record }`,
      (given): given is ReadonlyArray<Found & { readonly [name in Name]: string }> =>
        Array.isArray(given) && given.every((row) => isFound(row) && typeof Reflect.get(row, name) === "string")
    )

  return { records, decode, list }
}

const grantsOf = (grants: Grants): GrantStore["Service"] => {
  const { decode, list, records } = make("grant store", {
    table: grants,
    codec: RecordCodec.grant,
    key: ({ clientId, subject }) => ({ clientId: KeyText.escape(clientId), subject: KeyText.escape(subject) }),
    row: (record, { _tag }): GrantRow => ({ record, state: _tag })
  })
  const escaped = (text: string | undefined) => (text === undefined ? undefined : KeyText.escape(text))
  return {
    ...records,
    page: ({ after, clientId, prefix, state, ...options }) => {
      const limit = Math.max(1, options.limit)
      const which = {
        clientId: KeyText.escape(clientId),
        prefix: escaped(prefix),
        state,
        after: escaped(after),
        // One more, to see if another page follows.
        limit: limit + 1
      }
      return Effect.map(
        list("subject", "read a page", () => grants.page(which)),
        (rows) => {
          const found = rows.slice(0, limit).map((row) => {
            const key = { clientId, subject: KeyText.unescape(row.subject) }
            return { key, version: versionOf(row.version), grant: decode(row) }
          })
          return {
            entries: found.flatMap(({ grant, key }) =>
              Result.isSuccess(grant) ? [{ key, grant: grant.success }] : []
            ),
            unreadable: found.flatMap(({ grant, key, version }) =>
              Result.isFailure(grant) ? [{ key, version, error: grant.failure }] : []
            ),
            next: rows.length > limit ? found.at(-1)?.key.subject : undefined
          }
        }
      )
    }
  }
}

const attemptsOf = (attempts: Attempts): AttemptStore["Service"] => {
  const { decode, list, records } = make("attempt store", {
    table: attempts,
    codec: RecordCodec.attempt,
    key: KeyText.escape,
    row: (record, { expiresAt, startedAt, subject }): AttemptRow => ({
      record,
      subject: KeyText.escape(subject),
      startedAt,
      expiresAt
    })
  })
  return {
    ...records,
    bySubject: ({ subject, ...options }) => {
      const which = {
        subject: KeyText.escape(subject),
        skip: Math.max(0, options.skip),
        limit: Math.max(1, options.limit)
      }
      return Effect.map(
        list("key", "list a user's records", () => attempts.bySubject(which)),
        (rows) =>
          // Unreadable records are skipped, not removed.
          rows.flatMap((row) =>
            Result.match(decode(row), {
              onFailure: () => [],
              onSuccess: ({ value, version }) => [{ key: KeyText.unescape(row.key), version, state: value._tag }]
            })
          )
      )
    }
  }
}

const appTokensOf = (appTokens: NonNullable<Stores["appTokens"]>): AppCredentialStore.AppCredentialStore["Service"] =>
  make("app credential store", {
    table: appTokens,
    codec: RecordCodec.appCredential,
    key: ({ clientId, scopes }) => ({ clientId: KeyText.escape(clientId), scopes: KeyText.escape(scopes) }),
    row: (record) => ({ record })
  }).records

const functions = {
  grants: ["get", "compareAndSet", "remove", "page"],
  attempts: ["get", "compareAndSet", "remove", "bySubject"],
  appTokens: ["get", "compareAndSet", "remove"]
} as const

// JavaScript programs may leave out a function.
const problemOf = (stores: unknown, setting: string): ZapierAuthError | undefined => {
  if (!CallerChecks.isRecord(stores)) return CallerChecks.invalid(setting, "give an object with grants and attempts")
  for (const [name, members] of Object.entries(functions)) {
    const table = stores[name]
    if (table === undefined && name === "appTokens") continue
    const place = `${setting}.${name}`
    if (!CallerChecks.isRecord(table)) return CallerChecks.invalid(place, `give an object with ${members.join(", ")}`)
    const missing = members.find((member) => typeof table[member] !== "function")
    if (missing !== undefined) return CallerChecks.invalid(`${place}.${missing}`, "give a function")
  }
  return undefined
}

/**
 * Provides the library's three stores, over custom ones. They are not encrypted: wrap them in `EncryptedStores`.
 *
 * Fails with `InvalidConfig` if a function is missing.
 *
 * @param setting the name of the stores in that error
 *
 * @example
 * ```ts
 * import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
 * import * as PromiseStores from "@zapier-workflow-auth/core/store/PromiseStores"
 * import * as Layer from "effect/Layer"
 *
 * export const encrypted = (stores: PromiseStores.Stores) =>
 *   EncryptedStores.layer.pipe(Layer.provide(PromiseStores.layer(stores)))
 * ```
 *
 * @since 0.1.0
 */
export const layer = (
  stores: Stores,
  setting = "stores"
): Layer.Layer<GrantStore | AttemptStore | AppCredentialStore.AppCredentialStore, ZapierAuthError> =>
  Layer.unwrap(
    Effect.suspend(() => {
      const problem = problemOf(stores, setting)
      if (problem !== undefined) return Effect.fail(problem)
      const { appTokens, attempts, grants } = stores
      return Effect.succeed(
        Layer.merge(
          Layer.succeedContext(
            Context.make(GrantStore, grantsOf(grants)).pipe(Context.add(AttemptStore, attemptsOf(attempts)))
          ),
          appTokens === undefined
            ? AppCredentialStore.layerMemory
            : Layer.succeed(AppCredentialStore.AppCredentialStore, appTokensOf(appTokens))
        )
      )
    })
  )
