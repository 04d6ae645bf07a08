/** The three stores in Redis. `redisKeys.ts` defines the keys, `redisScripts.ts` the records. */
import { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import { GrantStore, type Key as GrantKey } from "@zapier-workflow-auth/core/store/GrantStore"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { Redis, type RedisError } from "effect/persistence/Redis"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { successor } from "@zapier-workflow-auth/core/store/KeyText"
import { RedisFailure } from "./redisFailure.ts"
import * as Durability from "./redisDurability.ts"
import * as Keys from "./redisKeys.ts"
import * as Records from "./redisRecords.ts"
import * as Scripts from "./redisScripts.ts"

type Service = Redis["Service"]

type Failure = RedisError | RedisFailure

const decodeTexts = Schema.decodeUnknownOption(Schema.Array(Schema.String))

/** The texts in a command's reply. */
export const textsOf = (reply: Effect.Effect<unknown, RedisError>): Effect.Effect<ReadonlyArray<string>, Failure> =>
  Effect.flatMap(reply, (texts) =>
    Effect.mapError(Effect.fromOption(decodeTexts(texts)), () => new RedisFailure("ERR"))
  )

const states = ["Active", "Refreshing", "ReconnectRequired"]

// By bytes, as Redis compares.
const isBefore = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0

/** The range to search in a set of subjects. */
const rangeOf = (after: string | undefined, prefix: string) => {
  const end = prefix === "" ? undefined : successor(prefix)
  const max = end === undefined ? "+" : `(${end}`
  if (after !== undefined && !isBefore(after, prefix)) return [`(${after}`, max]
  return [prefix === "" ? "-" : `[${prefix}`, max]
}

// How many commands are sent before waiting for the first response.
const concurrency = 1_000

const grantsOf = (redis: Service): GrantStore["Service"] => {
  const { decode, failed, records } = Records.make({
    redis,
    store: "grant store",
    codec: RecordCodec.grant,
    place: ({ clientId, subject }: GrantKey) => {
      const keys = Keys.application(clientId)
      const sets = states.map((state) => keys.subjectsIn(state))
      return {
        key: keys.grant(subject),
        floor: keys.floor,
        member: Keys.toMember(subject),
        sets: [keys.subjects, ...sets]
      }
    },
    group: ({ _tag }) => _tag,
    join: ({ clientId }, { _tag }) => {
      const keys = Keys.application(clientId)
      return [keys.subjects, keys.subjectsIn(_tag)].map((set) => ({ set, score: 0 }))
    }
  })

  return {
    ...records,
    compareAndSet: (key, expected, grant) =>
      Option.isSome(expected)
        ? records.compareAndSet(key, expected, grant)
        : // First, so that operators can find the application before it has any grant.
          redis
            .send("SADD", Keys.clientIds, Keys.toMember(key.clientId))
            .pipe(
              Effect.mapError(failed("write a record")),
              Effect.andThen(records.compareAndSet(key, expected, grant))
            ),
    page: Effect.fnUntraced(
      function* ({ after, clientId, prefix = "", state, ...options }) {
        const limit = Math.max(1, options.limit)
        const keys = Keys.application(clientId)
        const set = state === undefined ? keys.subjects : keys.subjectsIn(state)
        const range = rangeOf(after === undefined ? undefined : Keys.toMember(after), Keys.toMember(prefix))
        // Read one more than requested, to know if there is another page.
        const members = yield* textsOf(redis.send("ZRANGEBYLEX", set, ...range, "LIMIT", "0", String(limit + 1)))
        const subjects = members.slice(0, limit).map(Keys.ofMember)
        const found = yield* Effect.forEach(subjects, (subject) => Records.find(redis, keys.grant(subject)), {
          concurrency
        })
        const read = found.flatMap((hash, index) => {
          const key = { clientId, subject: subjects[index] ?? "" }
          // Skip a record that was removed or changed its state since, or has a state of a newer version.
          if (Option.isNone(hash) || (state !== undefined && hash.value.group !== state)) return []
          return Result.match(decode(hash.value), {
            onFailure: (error) => ({
              entry: undefined,
              unreadable: { key, version: Number(hash.value.version), error }
            }),
            onSuccess: (grant) => ({ entry: { key, grant }, unreadable: undefined })
          })
        })
        return {
          entries: read.flatMap(({ entry }) => entry ?? []),
          unreadable: read.flatMap(({ unreadable }) => unreadable ?? []),
          next: members.length > limit ? subjects.at(-1) : undefined
        }
      },
      (effect) => Effect.mapError(effect, failed("read a page"))
    )
  }
}

// How many attempts of a subject are read at once.
const listed = 100

const attemptsOf = (redis: Service): AttemptStore.AttemptStore["Service"] => {
  const { decode, failed, records } = Records.make({
    redis,
    store: "attempt store",
    codec: RecordCodec.attempt,
    place: (digest: string) => ({
      key: Keys.attempts.attempt(digest),
      floor: Keys.attempts.floor,
      member: Keys.toMember(digest),
      // Only the record knows its subject's set: outdated members are removed when listed.
      sets: []
    }),
    group: ({ subject }) => Keys.toMember(subject),
    join: (_, { startedAt, subject }) => [{ set: Keys.attempts.of(subject), score: startedAt }],
    forgottenAt: ({ expiresAt }) => expiresAt + AttemptStore.retention
  })

  /** Reads some of a subject's attempts, and removes outdated members from the set. */
  const part = Effect.fnUntraced(function* (subject: string, from: number) {
    const set = Keys.attempts.of(subject)
    const group = Keys.toMember(subject)
    const members = yield* textsOf(redis.send("ZREVRANGE", set, String(from), String(from + listed - 1)))
    const found = yield* Effect.forEach(
      members,
      (member) => {
        const key = Keys.attempts.attempt(Keys.ofMember(member))
        return Effect.map(Records.find(redis, key), (hash) => ({ key, member, hash }))
      },
      { concurrency }
    )
    const gone = found.filter(({ hash }) => Option.isNone(hash) || hash.value.group !== group)
    if (gone.length > 0) yield* redis.eval(Scripts.prune)({ set, group, gone })
    const there = found.flatMap(({ hash, member }) =>
      Option.isSome(hash) && hash.value.group === group ? [{ member, hash: hash.value }] : []
    )
    return { there, next: members.length < listed ? undefined : from + there.length }
  })

  return {
    ...records,
    bySubject: Effect.fnUntraced(
      function* ({ subject, ...options }) {
        const skip = Math.max(0, options.skip)
        const wanted = skip + Math.max(1, options.limit)
        const found: Array<Effect.Success<ReturnType<typeof part>>["there"][number]> = []
        let from: number | undefined = 0
        while (from !== undefined && found.length < wanted) {
          const { next, there }: Effect.Success<ReturnType<typeof part>> = yield* part(subject, from)
          found.push(...there)
          from = next
        }
        return found.slice(skip, wanted).flatMap(({ hash, member }) =>
          Result.match(decode(hash), {
            // Skip records that cannot be understood.
            onFailure: () => [],
            onSuccess: ({ value, version }) => [{ key: Keys.ofMember(member), version, state: value._tag }]
          })
        )
      },
      (effect) => Effect.mapError(effect, failed("list a user's records"))
    )
  }
}

const appCredentialsOf = (redis: Service): AppCredentialStore["Service"] =>
  Records.make({
    redis,
    store: "app credential store",
    codec: RecordCodec.appCredential,
    place: ({ clientId, scopes }: { readonly clientId: string; readonly scopes: string }) => {
      const keys = Keys.application(clientId)
      return { key: keys.appCredential(scopes), floor: keys.floor, member: "", sets: [] }
    },
    group: () => "",
    join: () => []
  }).records

/** Makes all three stores. */
const make = (redis: Service): Context.Context<GrantStore | AttemptStore.AttemptStore | AppCredentialStore> =>
  Context.make(GrantStore, grantsOf(redis)).pipe(
    Context.add(AttemptStore.AttemptStore, attemptsOf(redis)),
    Context.add(AppCredentialStore, appCredentialsOf(redis))
  )

type Stores = GrantStore | AttemptStore.AttemptStore | AppCredentialStore

/** Provides the stores without checking the server's settings, for read access. */
export const layerUnchecked: Layer.Layer<Stores, never, Redis> = Layer.fresh(
  Layer.effectContext(Effect.map(Redis, make))
)

// Fresh, because Effect shares layers by reference: a second tenant would get the first one's server.
const checking = (warn: (warning: string) => Effect.Effect<void>): Layer.Layer<Stores, ZapierAuthError, Redis> =>
  Layer.fresh(
    Layer.effectContext(
      Effect.gen(function* () {
        const redis = yield* Redis
        const settings = yield* Durability.read(redis)
        yield* Durability.refuseEviction(settings)
        yield* Effect.forEach(Durability.warningsOf(settings), warn, { discard: true })
        return make(redis)
      })
    )
  )

/** Provides the stores, if the server does not evict grants. */
export const layerQuiet = checking(() => Effect.void)

/** Like `layerQuiet`, and logs a warning for everything that a crash of the server would lose. */
export const layer = checking((warning) => Effect.logWarning(warning))
