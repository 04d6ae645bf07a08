/**
 * Checks if a Redis keeps its data. Depending on its settings it may evict records, or lose the latest in a crash; a lost
 * rotated refresh token forces its user to reconnect.
 */
import { InvalidConfig, StoreFailed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import { isRefusal, problemOf } from "./redisFailure.ts"

type Service = Redis.Redis["Service"]

/** The relevant settings; `undefined` if the server does not reveal one. */
export interface Settings {
  readonly maxmemoryPolicy: string | undefined
  readonly appendonly: boolean | undefined
  readonly appendfsync: string | undefined
}

// RESP 2 returns a list, RESP 3 a map, which drivers turn into an object.
const valueIn = (reply: unknown, name: string): string | undefined => {
  if (Array.isArray(reply)) return reply[0] === name && typeof reply[1] === "string" ? reply[1] : undefined
  if (reply instanceof Map) return valueIn([name, reply.get(name)], name)
  if (typeof reply !== "object" || reply === null || !Object.hasOwn(reply, name)) return undefined
  return valueIn([name, Reflect.get(reply, name)], name)
}

const orUndefined = <A>(effect: Effect.Effect<A, Redis.RedisError>) =>
  Effect.catchIf(effect, isRefusal, () => Effect.undefined)

// Managed servers often forbid CONFIG, and some do not have it.
const configured = (redis: Service, name: string) =>
  Effect.map(orUndefined(redis.send("CONFIG", "GET", name)), (reply) => valueIn(reply, name))

const informed = (redis: Service, section: string, name: string) =>
  Effect.map(orUndefined(redis.send("INFO", section)), (reply) =>
    typeof reply === "string" ? new RegExp(`^${name}:(\\S+)`, "m").exec(reply)?.[1] : undefined
  )

/** Reads the server's settings. */
export const read = Effect.fnUntraced(
  function* (redis: Service) {
    const policy = yield* configured(redis, "maxmemory-policy")
    const appendonly = yield* configured(redis, "appendonly")
    const enabled = appendonly ?? (yield* informed(redis, "persistence", "aof_enabled"))
    return {
      maxmemoryPolicy: policy ?? (yield* informed(redis, "memory", "maxmemory_policy")),
      appendonly: enabled === undefined ? undefined : enabled === "yes" || enabled === "1",
      appendfsync: yield* configured(redis, "appendfsync")
    } satisfies Settings
  },
  (effect) =>
    Effect.mapError(effect, (error) =>
      ZapierAuthError.make(
        new StoreFailed({ store: "Redis connection", operation: "be opened", problem: problemOf(error) })
      )
    )
)

const unknown = (setting: string) =>
  `Redis does not reveal its ${setting}. Ask its operator, or allow its user to call CONFIG GET`

const lost = "users whose tokens were rotated in that time must reconnect"

const ofPolicy = (policy: string | undefined) => {
  if (policy === undefined) return [`${unknown("maxmemory-policy")}: it must be noeviction, or grants may be evicted`]
  if (!policy.startsWith("volatile-")) return []
  return [
    `Redis has the maxmemory-policy ${policy}: when short of memory, it forgets users who are on the consent page. Set noeviction`
  ]
}

const ofPersistence = ({ appendfsync, appendonly }: Settings) => {
  if (appendonly === undefined) {
    return [
      `${unknown("appendonly")}: without an append-only file a crash loses what was written since the last snapshot`
    ]
  }
  if (!appendonly) {
    return [
      `Redis keeps no append-only file: a crash loses what was written since the last snapshot, and ${lost}. Set appendonly yes and appendfsync always`
    ]
  }
  if (appendfsync === undefined) {
    return [`${unknown("appendfsync")}: unless it is always, a power cut loses what was written last`]
  }
  if (appendfsync === "always") return []
  const time = appendfsync === "everysec" ? "up to the last second" : "what the operating system has not written yet"
  return [`Redis has appendfsync ${appendfsync}: a power cut loses ${time}, and ${lost}. Set appendfsync always`]
}

/** Describes what may be lost, and what to do. Empty if nothing. */
export const warningsOf = (settings: Settings): ReadonlyArray<string> => [
  ...ofPolicy(settings.maxmemoryPolicy),
  ...ofPersistence(settings)
]

/** Fails if grants would be evicted. */
export const refuseEviction = ({ maxmemoryPolicy }: Settings): Effect.Effect<void, ZapierAuthError> =>
  maxmemoryPolicy?.startsWith("allkeys-")
    ? ZapierAuthError.make(
        new InvalidConfig({
          setting: "maxmemory-policy of Redis",
          problem: `it is ${maxmemoryPolicy}: when short of memory, Redis would evict users' grants. Set it to noeviction, or use a Redis that is not a cache`
        })
      )
    : Effect.void
