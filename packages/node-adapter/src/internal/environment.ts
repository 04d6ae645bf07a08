/** The variables that say which app and which Zapier are meant, and where grants and keys are: the same for commands and apps. */
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

/** Of two variables that contradict each other, one cannot be meant. */
export const both = (one: string, other: string): ZapierAuthError =>
  ZapierAuthError.make(new InvalidConfig({ setting: `${one}, ${other}`, problem: "set one of them, not both" }))

/** A server that has the grants, and the variable that names it. */
export interface Server {
  readonly _tag: "Postgres" | "Redis"
  readonly url: Redacted.Redacted
  readonly variable: string
}

/** The server that the environment names, if it names one and nothing else. */
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
 * The origin of a fake. The client secret goes there, so it is not sent in the clear to another machine.
 *
 * @param setting what errors call the address
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
