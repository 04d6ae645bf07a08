/** Finds the records of a Redis that need a key, for key replacement. Encrypted texts begin with `zwa1.`, the key's id, and a dot. */
import type { Key } from "@zapier-workflow-auth/core/store/GrantStore"
import { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redis from "effect/persistence/Redis"
import * as Schema from "effect/Schema"
import * as Durability from "./redisDurability.ts"
import { RedisFailure } from "./redisFailure.ts"
import * as Keys from "./redisKeys.ts"
import * as Records from "./redisRecords.ts"
import { textsOf } from "./redisStores.ts"

type Service = Redis.Redis["Service"]

const failed = Records.failedOf("database")

// How many records are read at once.
const batchSize = 500

/** The client applications that have grants, in order. */
export const clientIds = (redis: Service) =>
  textsOf(redis.send("SMEMBERS", Keys.clientIds)).pipe(
    Effect.flatMap((members) =>
      Effect.filter(members.map(Keys.ofMember).sort(), (clientId) => Effect.map(count(redis, clientId), (n) => n > 0))
    ),
    Effect.mapError(failed("list its client applications"))
  )

const count = (redis: Service, clientId: string) =>
  Effect.map(redis.send("ZCARD", Keys.application(clientId).subjects), Number)

/** The number of grants of a client application. */
export const countGrants = (redis: Service, clientId: string) =>
  Effect.mapError(count(redis, clientId), failed("count its grants"))

const isNeeding = (keyIds: ReadonlyArray<string>) => {
  const beginnings = keyIds.map((id) => `"zwa1.${id}.`)
  return (record: string | null) => record !== null && beginnings.some((text) => record.includes(text))
}

const recordOf = (redis: Service, key: string) =>
  Effect.map(Records.find(redis, key), (found) => (Option.isSome(found) ? found.value.record : null))

const grantsNeeding = Effect.fnUntraced(function* (
  redis: Service,
  clientId: string,
  needs: (record: string | null) => boolean,
  limit: number
) {
  const keys = Keys.application(clientId)
  const found: Array<Key> = []
  let from = "-"
  while (found.length < limit) {
    const members = yield* textsOf(redis.send("ZRANGEBYLEX", keys.subjects, from, "+", "LIMIT", "0", String(batchSize)))
    const subjects = members.map(Keys.ofMember)
    const records = yield* Effect.forEach(subjects, (subject) => recordOf(redis, keys.grant(subject)), {
      concurrency: batchSize
    })
    found.push(
      ...subjects.filter((_, index) => needs(records[index] ?? null)).map((subject) => ({ clientId, subject }))
    )
    if (members.length < batchSize) break
    from = `(${members.at(-1)}`
  }
  return found.slice(0, limit)
})

const Scanned = Schema.Tuple([Schema.String, Schema.Array(Schema.String)])
const decodeScanned = Schema.decodeUnknownOption(Scanned)

/** When the last attempt that needs one of the keys is removed. */
const attemptsNeeding = Effect.fnUntraced(function* (redis: Service, needs: (record: string | null) => boolean) {
  const now = yield* Clock.currentTimeMillis
  let last: number | undefined
  let cursor = "0"
  do {
    const reply = yield* redis.send("SCAN", cursor, "MATCH", Keys.attempts.pattern, "COUNT", String(batchSize))
    const [next, keys] = yield* Effect.mapError(Effect.fromOption(decodeScanned(reply)), () => new RedisFailure("ERR"))
    const records = yield* Effect.forEach(keys, (key) => recordOf(redis, key), { concurrency: batchSize })
    for (const key of keys.filter((_, index) => needs(records[index] ?? null))) {
      last = Math.max(last ?? 0, now + Number(yield* redis.send("PTTL", key)))
    }
    cursor = next
  } while (cursor !== "0")
  return Option.fromUndefinedOr(last)
})

/** Finds the records that still need one of the keys: some grants, and the end of the last attempt. */
export const needing = Effect.fnUntraced(function* (redis: Service, keyIds: ReadonlyArray<string>, limit: number) {
  const needs = isNeeding(keyIds)
  const grants: Array<Key> = []
  for (const clientId of yield* clientIds(redis)) {
    if (grants.length >= limit) break
    grants.push(
      ...(yield* Effect.mapError(
        grantsNeeding(redis, clientId, needs, limit - grants.length),
        failed("find the records that need an older key")
      ))
    )
  }
  const attemptsUntil = yield* Effect.mapError(
    attemptsNeeding(redis, needs),
    failed("find the records that need an older key")
  )
  return { grants, attemptsUntil }
})

/** Rewrites the append-only file, which holds all commands since its last rewrite. */
export const forgetPlain = Effect.fnUntraced(function* (redis: Service) {
  const { appendonly } = yield* Durability.read(redis)
  if (appendonly === false) return
  yield* Effect.mapError(redis.send("BGREWRITEAOF"), (error) =>
    ZapierAuthError.make(failed("rewrite its append-only file, which still contains plain tokens")(error))
  )
})
