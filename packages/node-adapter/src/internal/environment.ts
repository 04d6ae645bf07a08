/** The environment variables for application, Zapier's address, stores and keys, shared by commands and apps. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Variable from "./variable.ts"

export const redirectUris: Effect.Effect<Option.Option<ReadonlyArray<string>>, ZapierAuthError> = Effect.map(
  Variable.text("ZAPIER_REDIRECT_URIS"),
  Option.map(ClientApplication.parseRedirectUris)
)

export const application = Effect.all({
  clientId: Variable.text("ZAPIER_CLIENT_ID"),
  clientSecret: Variable.secret("ZAPIER_CLIENT_SECRET"),
  clientSecretFile: Variable.text("ZAPIER_CLIENT_SECRET_FILE"),
  redirectUris
})

export const storage = Effect.all({
  postgres: Variable.secret("ZAPIER_DATABASE_URL"),
  redis: Variable.secret("ZAPIER_REDIS_URL"),
  directory: Variable.text("ZAPIER_DATA_DIRECTORY"),
  keyFile: Variable.text("ZAPIER_KEY_FILE"),
  keys: Variable.secret("ZAPIER_ENCRYPTION_KEYS")
})

export const fake: Effect.Effect<Option.Option<string>, ZapierAuthError> = Variable.text("ZAPIER_FAKE")

/** The error for two variables that contradict each other. */
export const both = (one: string, other: string): ZapierAuthError =>
  ZapierAuthError.make(new InvalidConfig({ setting: `${one}, ${other}`, problem: "set one of them, not both" }))

/** A server that stores the grants, and its variable. */
export interface Server {
  readonly _tag: "Postgres" | "Redis"
  readonly url: Redacted.Redacted
  readonly variable: string
}

/** The server in the environment, if there is exactly one. */
export const server: Effect.Effect<Option.Option<Server>, ZapierAuthError> = Effect.gen(function* () {
  const { directory, postgres, redis } = yield* storage
  const servers = [
    ...Option.toArray(postgres).map((url): Server => ({ _tag: "Postgres", url, variable: "ZAPIER_DATABASE_URL" })),
    ...Option.toArray(redis).map((url): Server => ({ _tag: "Redis", url, variable: "ZAPIER_REDIS_URL" }))
  ]
  const [one, other] = servers
  if (one === undefined) return Option.none()
  if (other !== undefined) return yield* both(one.variable, other.variable)
  if (Option.isSome(directory)) return yield* both(one.variable, "ZAPIER_DATA_DIRECTORY")
  return Option.some(one)
})

/**
 * The origin of a fake. Plain HTTP is allowed only on this machine, because the client secret goes there.
 *
 * @param setting the address's name in errors
 */
export const fakeOrigin = (setting: string, address: string): Effect.Effect<string, ZapierAuthError> => {
  const url = URL.canParse(address) ? new URL(address) : undefined
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search === ""
  return isOrigin && url.username === "" && ClientApplication.isRedirectUri(address)
    ? Effect.succeed(url.origin)
    : Effect.fail(
        ZapierAuthError.make(
          new InvalidConfig({
            setting,
            problem:
              "give the address of the fake without a path, such as http://127.0.0.1:9270, with https unless it points to this machine"
          })
        )
      )
}
