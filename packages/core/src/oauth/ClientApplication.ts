/**
 * The application that is registered with Zapier: client id, secret, redirect URIs.
 *
 * The service gives an Effect, not a value: the credentials are read when they are needed, so that a regenerated secret
 * is picked up without a restart.
 *
 * Source: Zapier's Developer Platform (Embed, Settings, Credentials and Redirect URIs).
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Tokens from "./Tokens.ts"
import { from, InvalidConfig, type ZapierAuthError } from "../ZapierAuthError.ts"

const isLoopback = (hostname: string) =>
  hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname)

/**
 * Whether a text is usable as a redirect URI: absolute, without a fragment (RFC 6749 section 3.1.2), and `http` only on
 * this very machine.
 *
 * @since 0.1.0
 */
export const isRedirectUri = (text: string): boolean => {
  if (!URL.canParse(text) || text.includes("#")) return false
  const url = new URL(text)
  return url.protocol !== "http:" || isLoopback(url.hostname)
}

const ClientIdText = Schema.String.check(
  Schema.isPattern(/^[\x20-\x7E]+$/, { expected: "a client id of printable ASCII (RFC 6749 appendix A.1)" })
)

const RedirectUri = Schema.String.check(
  Schema.makeFilter((text: string) => isRedirectUri(text), {
    expected: "an absolute URI without a fragment, with https unless it is on this machine"
  })
)

/**
 * How the application authenticates at the token endpoint (RFC 6749 section 2.3.1): with HTTP Basic, or with `client_id`
 * and `client_secret` in the body. Zapier takes both.
 *
 * @since 0.1.0
 */
export const Authentication = Schema.Literals(["Basic", "Body"])

/**
 * @since 0.1.0
 */
export type Authentication = typeof Authentication.Type

/**
 * An application as it is registered with Zapier.
 *
 * @since 0.1.0
 */
export const Application = Schema.Struct({
  /** Public. */
  clientId: ClientIdText,
  clientSecret: Tokens.Secret,
  /** All that are registered, spelled exactly as they are there. The first is the default. */
  redirectUris: Schema.NonEmptyArray(RedirectUri),
  /** How it authenticates at the token endpoint. */
  authentication: Authentication
})

/**
 * @since 0.1.0
 */
export type Application = typeof Application.Type

/**
 * What an application is made of, before it is checked.
 *
 * @since 0.1.0
 */
export interface Options {
  /** Public, and the same for all three modes. */
  readonly clientId: string
  /** It is `Redacted` from here on. */
  readonly clientSecret: string | Redacted.Redacted
  /** At least one, spelled exactly as they are registered. The first is the default. */
  readonly redirectUris: ReadonlyArray<string>
  /** Default: `Basic`. */
  readonly authentication?: Authentication | undefined
}

const problems: { readonly [field in keyof Application]: string } = {
  clientId: "give the client id from the Developer Platform (Embed, Settings, Credentials)",
  clientSecret: "give the client secret from the Developer Platform (Embed, Settings, Credentials)",
  redirectUris:
    "give at least one redirect URI, as registered in the Developer Platform (Embed, Settings, Redirect URIs): absolute, without a fragment, with https unless it is on this machine",
  authentication: 'give "Basic" or "Body"'
}

/**
 * Checks the parts of an application. Fails with `InvalidConfig`, which names the part and never shows a value.
 *
 * @example
 * ```ts
 * import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
 *
 * ClientApplication.make({ clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://app.example/callback"] })
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options): Result.Result<Application, InvalidConfig> => {
  const { clientSecret } = options
  const fields = {
    clientId: options.clientId,
    clientSecret: Redacted.isRedacted(clientSecret) ? clientSecret : Redacted.make(clientSecret),
    redirectUris: options.redirectUris,
    authentication: options.authentication ?? "Basic"
  }
  const checks = Application.fields
  const wrong = (Object.keys(checks) as ReadonlyArray<keyof Application>).find(
    (field) => !Schema.is<Schema.Constraint>(checks[field])(fields[field])
  )
  return wrong === undefined
    ? Result.succeed(fields as Application)
    : Result.fail(new InvalidConfig({ setting: wrong, problem: problems[wrong] }))
}

/**
 * The application that the library acts for, as it is configured at this moment.
 *
 * @since 0.1.0
 */
export class ClientApplication extends Context.Service<
  ClientApplication,
  {
    /** The application as it is configured now. Fails with `InvalidConfig`. */
    readonly get: Effect.Effect<Application, ZapierAuthError>
  }
>()("@zapier-workflow-auth/core/oauth/ClientApplication") {}

const checked = (options: Options): Effect.Effect<Application, ZapierAuthError> =>
  Effect.mapError(Effect.fromResult(make(options)), from)

/**
 * An application that is read anew whenever it is needed: from a secret manager, for example. What was read is checked by
 * `make` each time. What the reading needs is what there is when the layer is built.
 *
 * @example
 * ```ts
 * import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
 * import { from, InvalidConfig } from "@zapier-workflow-auth/core/ZapierAuthError"
 * import * as Effect from "effect/Effect"
 *
 * declare const readSecret: (name: string) => Promise<string>
 *
 * ClientApplication.layerEffect(
 *   Effect.tryPromise({
 *     try: async () => ({
 *       clientId: "abc",
 *       clientSecret: await readSecret("zapier-client-secret"),
 *       redirectUris: ["https://app.example/zapier/callback"]
 *     }),
 *     catch: () => from(new InvalidConfig({ setting: "clientSecret", problem: "the secret manager does not answer" }))
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 */
export const layerEffect = <R = never>(
  read: Effect.Effect<Options, ZapierAuthError, R>
): Layer.Layer<ClientApplication, never, R> =>
  Layer.effect(
    ClientApplication,
    Effect.map(Effect.context<R>(), (context) => ({
      get: Effect.flatMap(Effect.provideContext(read, context), checked)
    }))
  )

/**
 * An application that does not change. Whether it is usable is seen when it is first needed: `InvalidConfig`.
 *
 * @example
 * ```ts
 * import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
 *
 * ClientApplication.layer({
 *   clientId: "abc",
 *   clientSecret: "s3cret",
 *   redirectUris: ["https://app.example/zapier/callback"]
 * })
 * ```
 *
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<ClientApplication> =>
  Layer.succeed(ClientApplication, { get: checked(options) })

// What follows is marked as pure, so that the bundle of a program that does not read it is without it, and without Effect's
// `Config`.

/**
 * The redirect URIs of `ZAPIER_REDIRECT_URIS`, separated by commas.
 *
 * @since 0.1.0
 */
export const configRedirectUris: Config.Config<ReadonlyArray<string>> = /* @__PURE__ */ Config.map(
  /* @__PURE__ */ Config.String("ZAPIER_REDIRECT_URIS"),
  (list) =>
    list
      .split(",")
      .map((uri) => uri.trim())
      .filter((uri) => uri !== "")
)

/**
 * What `layerConfig` reads, for configurations that hold more: `ZAPIER_CLIENT_ID`, `ZAPIER_CLIENT_SECRET` and
 * `ZAPIER_REDIRECT_URIS`. What it gives is yet to be checked by `make`.
 *
 * @since 0.1.0
 */
export const config = /* @__PURE__ */ Config.all({
  clientId: /* @__PURE__ */ Config.String("ZAPIER_CLIENT_ID"),
  clientSecret: /* @__PURE__ */ Config.Redacted("ZAPIER_CLIENT_SECRET"),
  redirectUris: configRedirectUris
})

/**
 * An application from Effect's configuration, by default the environment: `ZAPIER_CLIENT_ID`, `ZAPIER_CLIENT_SECRET`,
 * `ZAPIER_REDIRECT_URIS` (separated by commas).
 *
 * @since 0.1.0
 */
export const layerConfig: Layer.Layer<ClientApplication> = /* @__PURE__ */ Layer.unwrap(
  /* @__PURE__ */ Effect.map(ConfigProvider.ConfigProvider, (provider) =>
    layerEffect(
      Effect.mapError(Effect.provideService(config, ConfigProvider.ConfigProvider, provider), () =>
        from(
          new InvalidConfig({
            setting: "ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET, ZAPIER_REDIRECT_URIS",
            problem: "set all three, the redirect URIs separated by commas"
          })
        )
      )
    )
  )
)
