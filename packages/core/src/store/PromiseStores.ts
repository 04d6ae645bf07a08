/**
 * Stores of your own for programs without Effect: functions that return promises, over any database with compare-and-set.
 *
 * A record is text. Keys hold no NUL and no half of a surrogate pair, so that every database takes them. A version is an
 * integer from 1; versions of a key only grow, also over a removal, as those of a sequence of the database do.
 *
 * A function that rejects or throws, or gives something else than it should, is `StoreFailed`; so is one that does not respond
 * within `storeTimeout`. Errors are told by their name, because their messages may hold a record.
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
 * A record as the database has it. The version may be a bigint or digits, as some drivers give them.
 *
 * @since 0.1.0
 */
export interface Found {
  readonly version: number | bigint | string
  readonly record: string
}

/**
 * Records with versions. `Row` is what to write: the record, and what it is looked up by.
 *
 * @since 0.1.0
 */
export interface Table<Key, Row> {
  /** The record of a key, if there is one. */
  readonly get: (key: Key) => Awaitable<Found | null | undefined>
  /**
   * Writes the row if the record still has the expected version, or if there is none and none is expected; and says whether
   * it did. Compares and writes in one step: of several writers who expect the same, one succeeds.
   */
  readonly compareAndSet: (key: Key, expected: number | undefined, row: Row) => Awaitable<boolean>
  /** Removes the record if it still has the expected version; and says whether it did. */
  readonly remove: (key: Key, expected: number) => Awaitable<boolean>
}

/**
 * A grant to write.
 *
 * @since 0.1.0
 */
export interface GrantRow {
  readonly record: string
  /** For lists of grants by their state. */
  readonly state: Grant["_tag"]
}

/**
 * Users' grants.
 *
 * @since 0.1.0
 */
export interface Grants extends Table<GrantKey, GrantRow> {
  /** Up to `limit` grants in the order of their subjects, as `PageOptions` say; fewer only at the end. */
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
 * Consents that are under way. The key is text.
 *
 * @since 0.1.0
 */
export interface Attempts extends Table<string, AttemptRow> {
  /** The attempts of a subject, the newest first by `startedAt`: up to `limit` after the first `skip`. */
  readonly bySubject: (options: {
    readonly subject: string
    readonly skip: number
    readonly limit: number
  }) => Awaitable<ReadonlyArray<Found & { readonly key: string }>>
}

/**
 * A store of your own.
 *
 * @since 0.1.0
 */
export interface Stores {
  readonly grants: Grants
  readonly attempts: Attempts
  /** The app's own tokens. Without it each process keeps its own in memory, which Zapier allows. */
  readonly appTokens?: Table<AppCredentialStore.Key, { readonly record: string }> | undefined
}

// What was given, by its type: the value may be a record.
const kindOf = (value: unknown): string => {
  if (value === null || value === undefined) return `${value}`
  return Array.isArray(value) ? "a list" : `a value of type ${typeof value}`
}

const unreadable =
  "the record is not one that this version of the library understands, and is left as it is; it was changed, or a newer version wrote it"

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
    }).pipe(
      Effect.flatMap((given) =>
        is(given)
          ? Effect.succeed(given)
          : Effect.fail(failed(operation, `it gave ${kindOf(given)} instead of ${wanted}`))
      )
    )

  const decode = ({ record, version }: Found): Result.Result<Versioned<A>, StoreFailed> => {
    const number = versionOf(version)
    const value = Number.isSafeInteger(number) ? codec.decode(record) : Option.none()
    return Option.match(value, {
      onNone: () => Result.fail(failed("read a record", unreadable)),
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

  /** Rows, each with the member that names it. */
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
        // One more than asked for tells whether there is another page.
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
          // A record that cannot be understood is left as it is.
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

// Types do not keep a program in JavaScript from leaving out a function.
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
 * All three stores of the library, over your own. They are not encrypted: wrap them in `EncryptedStores`.
 *
 * Fails with `InvalidConfig` where a function is missing.
 *
 * @param setting what they are called in that error
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
