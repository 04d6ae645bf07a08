/** Layers for tests with a Redis. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Redis } from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as RedisClient from "../../src/stores/RedisClient.ts"
import * as RedisStores from "../../src/stores/RedisStores.ts"
import type { Server } from "./RedisServer.ts"

/** A connection of its own to the server each time that it is built. */
export const client = (server: () => Server, options: Partial<RedisClient.Options> = {}) =>
  Layer.suspend(() => RedisClient.layer({ url: Redacted.make(server().url), ...options }))

/** The stores, which do not say again that a test's server is not as durable as it may be. */
export const quiet = RedisStores.layer.pipe(Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error")))

export const stores = (server: () => Server, options: Partial<RedisClient.Options> = {}) =>
  Layer.provideMerge(quiet, client(server, options))

export const send = (command: string, ...args: ReadonlyArray<string>) =>
  Effect.flatMap(Redis, (redis) => redis.send(command, ...args))
