/** A `VersionedStore` in Redis: each record is a hash, and each change one script. */
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import type { Versioned, VersionedStore } from "@zapier-workflow-auth/core/store/VersionedStore"
import { StoreFailed } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redis from "effect/persistence/Redis"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { isDisconnected, problemOf, RedisFailure } from "./redisFailure.ts"
import * as Scripts from "./redisScripts.ts"

type Service = Redis.Redis["Service"]

/** The key of a record, and the sets in which it may be listed. */
export interface Place {
  readonly key: string
  readonly floor: string
  /** Its name in the sets. */
  readonly member: string
  /** The sets that may contain it. */
  readonly sets: ReadonlyArray<string>
}

export interface Options<Key, A> {
  readonly redis: Service
  /** The name in errors. */
  readonly store: string
  readonly codec: RecordCodec.RecordCodec<A>
  readonly place: (key: Key) => Place
  /** The state or subject by which a record is found. */
  readonly group: (record: A) => string
  /** The sets that contain it. */
  readonly join: (key: Key, record: A) => ReadonlyArray<Scripts.Membership>
  /** When the record may be removed, in milliseconds since the epoch. Default: never. */
  readonly forgottenAt?: (record: A) => number
}

const Fields = Schema.NullOr(Schema.String)
const Hash = Schema.Tuple([Fields, Fields, Fields])
const decodeHash = Schema.decodeUnknownOption(Hash)

/** The fields of a record's hash. */
export interface Found {
  readonly version: string | null
  readonly record: string | null
  readonly group: string | null
}

// Below the longest duration that Redis accepts.
const longest = 1e15

const changed = (reply: unknown): Effect.Effect<boolean, RedisFailure> =>
  reply === 1 || reply === 0 ? Effect.succeed(reply === 1) : Effect.fail(new RedisFailure("ERR"))

/** Converts an error to the failure of a store operation, without parts of the command. */
export const failedOf =
  (store: string) =>
  (operation: string) =>
  (error: unknown): StoreFailed =>
    new StoreFailed({ store, operation, problem: problemOf(error) })

// After a pause of the process, its connections have often ended. Repeating a read is harmless.
const whenCut = { while: isDisconnected, times: 2 }

/** Reads the hash of a record, if it exists. */
export const find = (
  redis: Service,
  key: string
): Effect.Effect<Option.Option<Found>, Redis.RedisError | RedisFailure> =>
  Effect.flatMap(Effect.retry(redis.send("HMGET", key, "version", "record", "group"), whenCut), (reply) =>
    Option.match(decodeHash(reply), {
      onNone: () => Effect.fail(new RedisFailure("ERR")),
      onSome: ([version, record, group]) =>
        Effect.succeed(
          version === null && record === null && group === null
            ? Option.none()
            : Option.some({ version, record, group })
        )
    })
  )

export const make = <Key, A>({ codec, forgottenAt, group, join, place, redis, store }: Options<Key, A>) => {
  const failed = failedOf(store)

  const decode = ({ record, version }: Found): Result.Result<Versioned<A>, StoreFailed> => {
    const number = Number(version ?? Number.NaN)
    const decoded = Number.isSafeInteger(number) && record !== null ? codec.decode(record) : Option.none()
    return Option.match(decoded, {
      onNone: () =>
        Result.fail(new StoreFailed({ store, operation: "read a record", problem: RecordCodec.unreadable })),
      onSome: (value) => Result.succeed({ version: number, value })
    })
  }

  // By the program's clock, as the record's own times.
  const lifetimeOf = (value: A) =>
    forgottenAt === undefined
      ? Effect.undefined
      : Effect.map(Clock.currentTimeMillis, (now) =>
          Math.min(Math.max(1, Math.ceil(forgottenAt(value) - now)), longest)
        )

  const records: VersionedStore<Key, A> = {
    get: (key) =>
      find(redis, place(key).key).pipe(
        Effect.mapError(failed("read a record")),
        Effect.flatMap((found) =>
          Option.isNone(found) ? Effect.succeedNone : Effect.asSome(Effect.fromResult(decode(found.value)))
        )
      ),
    compareAndSet: Effect.fnUntraced(
      function* (key, expected, value) {
        const { sets, ...at } = place(key)
        const joined = join(key, value)
        return yield* changed(
          yield* redis.eval(Scripts.write)({
            ...at,
            expected: Option.getOrUndefined(expected),
            record: codec.encode(value),
            group: group(value),
            join: joined,
            leave: sets.filter((set) => joined.every((other) => other.set !== set)),
            lifetime: yield* lifetimeOf(value)
          })
        )
      },
      (effect) => Effect.mapError(effect, failed("write a record"))
    ),
    remove: (key, expected) => {
      const { sets, ...at } = place(key)
      return redis
        .eval(Scripts.remove)({ ...at, expected, leave: sets })
        .pipe(Effect.flatMap(changed), Effect.mapError(failed("remove a record")))
    }
  }

  return { records, decode, failed }
}
