/**
 * Whether a Redis keeps what it is given. It evicts records or forgets the last ones at a crash when its settings say so:
 * a rotated refresh token that is lost is a user who must reconnect.
 */
import { InvalidConfig, StoreFailed, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import { isRefusal, problemOf } from "./redisFailure.ts"

type Service = Redis.Redis["Service"]

/** Undefined where the server does not say. */
export interface Settings {
  readonly maxmemoryPolicy: string | undefined
  readonly appendonly: boolean | undefined
  readonly appendfsync: string | undefined
}

// RESP 2 has a list, RESP 3 a map, and drivers make an object of it.
const valueIn = (reply: unknown, name: string): string | undefined => {
  if (Array.isArray(reply)) return reply[0] === name && typeof reply[1] === "string" ? reply[1] : undefined
  if (reply instanceof Map) return valueIn([name, reply.get(name)], name)
  if (typeof reply !== "object" || reply === null || !Object.hasOwn(reply, name)) return undefined
  return valueIn([name, Reflect.get(reply, name)], name)
}

const orUndefined = <A>(effect: Effect.Effect<A, Redis.RedisError>) =>
  Effect.catchIf(effect, isRefusal, () => Effect.undefined)

// Managed servers often forbid it, and some do not know it.
const configured = (redis: Service, name: string) =>
  Effect.map(orUndefined(redis.send("CONFIG", "GET", name)), (reply) => valueIn(reply, name))

const informed = (redis: Service, section: string, name: string) =>
  Effect.map(orUndefined(redis.send("INFO", section)), (reply) =>
    typeof reply === "string" ? new RegExp(`^${name}:(\\S+)`, "m").exec(reply)?.[1] : undefined
  )

/** What the server says of itself. */
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
      ZapierAuthError.make(new StoreFailed({ store: "Redis", operation: "be opened", problem: problemOf(error) }))
    )
)

const unknown = (setting: string) =>
  `Redis does not say what its ${setting} is. Look it up where it is run, or let its user call CONFIG GET`

const lost = "users whose tokens were rotated then have to connect again"

const ofPolicy = (policy: string | undefined) => {
  if (policy === undefined) return [`${unknown("maxmemory-policy")}: it has to be noeviction, or grants may vanish`]
  if (!policy.startsWith("volatile-")) return []
  return [
    `Redis has the maxmemory-policy ${policy}: short of memory it forgets users who are at the consent page. Set noeviction`
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

/** What may be lost, and what to do about it. None if nothing is. */
export const warningsOf = (settings: Settings): ReadonlyArray<string> => [
  ...ofPolicy(settings.maxmemoryPolicy),
  ...ofPersistence(settings)
]

/** Fails where grants would be evicted. */
export const refuseEviction = ({ maxmemoryPolicy }: Settings): Effect.Effect<void, ZapierAuthError> =>
  maxmemoryPolicy?.startsWith("allkeys-")
    ? ZapierAuthError.make(
        new InvalidConfig({
          setting: "maxmemory-policy of Redis",
          problem: `it is ${maxmemoryPolicy}: short of memory, Redis would forget users' grants. Set it to noeviction, or use a Redis that is no cache`
        })
      )
    : Effect.void
