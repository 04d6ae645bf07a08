/**
 * The application that is registered with Zapier: client id, client secret and redirect URIs.
 *
 * The service provides an Effect instead of a value: the credentials are read at each use, so that a regenerated secret
 * takes effect without a restart.
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
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as ApplicationProblem from "../internal/applicationProblem.ts"
import * as UriProblem from "../internal/uriProblem.ts"
import { InvalidConfig, ZapierAuthError } from "../ZapierAuthError.ts"

/**
 * True if a text is usable as a redirect URI.
 *
 * It must be absolute, without white space, fragment (RFC 6749 section 3.1.2) or password, and `http` only on this machine.
 * An app may use its own scheme (RFC 8252 section 7.1).
 *
 * @since 0.1.0
 */
export const isRedirectUri = (text: string): boolean => UriProblem.uri(text) === undefined

// The pattern lets tests generate values; the filter decides.
const Printable = /* @__PURE__ */ Schema.String.check(
  /* @__PURE__ */ Schema.isPattern(/^[\x20-\x7E]+$/, { expected: "printable ASCII (RFC 6749 appendix A)" })
)

const ClientIdText = /* @__PURE__ */ Printable.check(/* @__PURE__ */ Schema.makeFilter(ApplicationProblem.clientId))

const ClientSecret = /* @__PURE__ */ Schema.Redacted(
  /* @__PURE__ */ Printable.check(/* @__PURE__ */ Schema.makeFilter(ApplicationProblem.clientSecret)),
  { disallowJsonEncode: true }
)

const RedirectUri = /* @__PURE__ */ Schema.String.check(/* @__PURE__ */ Schema.makeFilter(UriProblem.uri))

/**
 * How the application authenticates at the token endpoint (RFC 6749 section 2.3.1).
 *
 * `Basic` is HTTP Basic; `Body` sends `client_id` and `client_secret` in the body. Zapier accepts both.
 *
 * @since 0.1.0
 */
export const Authentication = /* @__PURE__ */ Schema.Literals(["Basic", "Body"])

/**
 * @since 0.1.0
 */
export type Authentication = typeof Authentication.Type

/**
 * An application, as registered with Zapier.
 *
 * @since 0.1.0
 */
export const Application = /* @__PURE__ */ Schema.Struct({
  /** The public client id. */
  clientId: ClientIdText,
  clientSecret: ClientSecret,
  /** All registered redirect URIs, in exactly the registered spelling. The first is the default. */
  redirectUris: /* @__PURE__ */ Schema.NonEmptyArray(RedirectUri),
  /** How it authenticates at the token endpoint. */
  authentication: Authentication
})

/**
 * @since 0.1.0
 */
export type Application = typeof Application.Type

/**
 * The parts of an application, not yet validated.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The public client id, the same in all three modes. */
  readonly clientId: string
  /** The client secret. Plain text becomes `Redacted`. */
  readonly clientSecret: string | Redacted.Redacted
  /** At least one redirect URI, in exactly the registered spelling. The first is the default. */
  readonly redirectUris: ReadonlyArray<string>
  /** Default: `Basic`. */
  readonly authentication?: Authentication | undefined
  /**
   * The names of the parts in errors, if you read them from elsewhere: `{ clientSecret: "ZAPIER_CLIENT_SECRET" }`. Default:
   * the names of these options.
   */
  readonly names?: { readonly [field in keyof Application]?: string } | undefined
}

const problems: { readonly [field in keyof Application]: (value: unknown) => string | undefined } = {
  clientId: ApplicationProblem.clientId,
  clientSecret: ApplicationProblem.clientSecret,
  redirectUris: ApplicationProblem.redirectUris,
  authentication: (value) => (value === "Basic" || value === "Body" ? undefined : "it is not an authentication method")
}

const advice: { readonly [field in keyof Application]: string } = {
  clientId: "give the client id from the Developer Platform (Embed, Settings, Credentials)",
  clientSecret: "give the client secret from the Developer Platform (Embed, Settings, Credentials)",
  redirectUris:
    "give at least one redirect URI, as registered in the Developer Platform (Embed, Settings, Redirect URIs): absolute, without a fragment, with https unless it points to this machine",
  authentication: 'give "Basic" or "Body"'
}

const fields = ["clientId", "clientSecret", "redirectUris", "authentication"] as const satisfies ReadonlyArray<
  keyof Application
>

/**
 * Validates the parts of an application. Fails with `InvalidConfig`, which names the part, the problem and the remedy, and
 * never shows a value.
 *
 * @example
 * ```ts
 * import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
 * import * as Result from "effect/Result"
 *
 * const redirectUris = ["https://app.example/callback"]
 *
 * Result.isSuccess(ClientApplication.make({ clientId: "abc", clientSecret: "s3cret", redirectUris })) // => true
 *
 * // clientSecret: it ends with a line break; give the client secret from the Developer Platform ...
 * Result.isFailure(ClientApplication.make({ clientId: "abc", clientSecret: "s3cret\n", redirectUris })) // => true
 * ```
 *
 * @since 0.1.0
 */
export const make = (options: Options): Result.Result<Application, InvalidConfig> => {
  if (typeof options !== "object" || options === null) {
    const problem = "give an object with clientId, clientSecret and redirectUris"
    return Result.fail(new InvalidConfig({ setting: "application", problem }))
  }
  const { authentication = "Basic", clientId, clientSecret, names, redirectUris } = options
  const given = { clientId, clientSecret, redirectUris, authentication }
  for (const field of fields) {
    const problem = problems[field](given[field])
    if (problem === undefined) continue
    const setting = names?.[field] ?? field
    return Result.fail(new InvalidConfig({ setting, problem: `${problem}; ${advice[field]}` }))
  }
  return Result.succeed({
    ...given,
    clientSecret: Redacted.isRedacted(clientSecret) ? clientSecret : Redacted.make(clientSecret),
    // The check above ensures at least one.
    redirectUris: redirectUris as Application["redirectUris"]
  })
}

/**
 * The application that the library acts for, as currently configured.
 *
 * @since 0.1.0
 */
export class ClientApplication extends Context.Service<
  ClientApplication,
  {
    /** Reads the current application. Fails with `InvalidConfig`. */
    readonly get: Effect.Effect<Application, ZapierAuthError>
  }
>()("@zapier-workflow-auth/core/oauth/ClientApplication") {}

const checked = (options: Options): Effect.Effect<Application, ZapierAuthError> =>
  Result.match(make(options), {
    onFailure: (reason) => Effect.fail(ZapierAuthError.make(reason)),
    onSuccess: Effect.succeed
  })

/**
 * Reads the application at each use, for example from a secret manager. `make` validates the result each time. Services
 * that `read` needs come from the context in which the layer is built.
 *
 * @example
 * ```ts
 * import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
 * import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
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
 *     catch: () => ZapierAuthError.make(new InvalidConfig({ setting: "clientSecret", problem: "the secret manager does not respond" }))
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
 * A fixed application. It is validated at the first use, which fails with `InvalidConfig`.
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

const variables = {
  clientId: "ZAPIER_CLIENT_ID",
  clientSecret: "ZAPIER_CLIENT_SECRET",
  redirectUris: "ZAPIER_REDIRECT_URIS"
} as const

// The rest is marked as pure, so that bundlers drop it, and Effect's `Config`, where it is unused.

/**
 * Splits a list of redirect URIs at its commas, as in `ZAPIER_REDIRECT_URIS`.
 *
 * @example
 * ```ts
 * import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
 *
 * ClientApplication.parseRedirectUris("https://a.example/callback, http://localhost:3000/callback")
 * // => ["https://a.example/callback", "http://localhost:3000/callback"]
 * ```
 *
 * @since 0.1.0
 */
export const parseRedirectUris = (list: string): ReadonlyArray<string> =>
  list
    .split(",")
    .map((uri) => uri.trim())
    .filter((uri) => uri !== "")

/**
 * Reads the redirect URIs from `ZAPIER_REDIRECT_URIS`, separated by commas.
 *
 * @internal
 */
export const configRedirectUris: Config.Config<ReadonlyArray<string>> = /* @__PURE__ */ (() =>
  Config.map(Config.String(variables.redirectUris), parseRedirectUris))()

const configs = /* @__PURE__ */ (() => ({
  clientId: Config.String(variables.clientId),
  clientSecret: Config.Redacted(variables.clientSecret),
  redirectUris: configRedirectUris
}))()

/**
 * Reads `ZAPIER_CLIENT_ID`, `ZAPIER_CLIENT_SECRET` and `ZAPIER_REDIRECT_URIS`, for use in a larger configuration.
 *
 * `layerConfig` reads the same. Pass the result to `make`, which validates it.
 *
 * @since 0.1.0
 */
export const config = /* @__PURE__ */ Config.all(configs)

/**
 * The sources of an application's parts: each is a value or a `Config`.
 *
 * Defaults: the environment's `ZAPIER_CLIENT_ID`, `ZAPIER_CLIENT_SECRET` and `ZAPIER_REDIRECT_URIS`, and `Basic`.
 *
 * @since 0.1.0
 */
export interface ConfigOptions {
  /** The public client id. Default: `ZAPIER_CLIENT_ID`. */
  readonly clientId?: string | Config.Config<string> | undefined
  /** The client secret. Default: `ZAPIER_CLIENT_SECRET`. */
  readonly clientSecret?: string | Redacted.Redacted | Config.Config<string | Redacted.Redacted> | undefined
  /** At least one redirect URI. Default: `ZAPIER_REDIRECT_URIS`, separated by commas. */
  readonly redirectUris?: ReadonlyArray<string> | Config.Config<ReadonlyArray<string>> | undefined
  /** Default: `Basic`. */
  readonly authentication?: Authentication | Config.Config<Authentication> | undefined
}

type Field = keyof Application

interface Part<A> {
  readonly field: Field
  /** The name in errors. */
  readonly name: string
  readonly found: Option.Option<A>
}

const unusable = (field: Field, name: string, problem: string) =>
  ZapierAuthError.make(new InvalidConfig({ setting: name, problem: `${problem}; ${advice[field]}` }))

// A `Config` reveals the name it looked for only when the value is missing.
const nameIn = ({ cause }: Config.ConfigError): string | undefined => {
  if (!("issue" in cause)) return undefined
  const [issue] = SchemaIssue.makeFormatterStandardSchemaV1()(cause.issue).issues
  const name = issue?.path?.map(String).join(".")
  return name === "" ? undefined : name
}

const readPart = <A>(field: Field, given: A | Config.Config<A>, name: string = field) => {
  if (!Config.isConfig(given)) return Effect.succeed<Part<A>>({ field, name, found: Option.some(given) })
  return Effect.matchEffect(Config.option(given), {
    onFailure: (error) => Effect.fail(unusable(field, nameIn(error) ?? name, "it cannot be read")),
    onSuccess: (found): Effect.Effect<Part<A>> =>
      Option.isSome(found)
        ? Effect.succeed({ field, name, found })
        : Effect.map(Effect.match(given, { onFailure: nameIn, onSuccess: () => undefined }), (missing = name) => ({
            field,
            name: missing,
            found
          }))
  })
}

const readVariable = <A>(
  field: keyof typeof variables,
  given: A | Config.Config<A> | undefined,
  variable: Config.Config<A>
) => (given === undefined ? readPart(field, variable, variables[field]) : readPart(field, given))

// Name a single missing part: finding it among three takes longer.
const incomplete = (parts: ReadonlyArray<Part<unknown>>): ZapierAuthError => {
  const missing = parts.filter(({ found }) => found._tag === "None")
  const names = parts.filter(({ found }) => found._tag === "Some").map(({ name }) => name)
  const [first] = missing
  if (missing.length === 1 && first !== undefined) {
    return unusable(first.field, first.name, `it is not set, but ${names.join(" and ")} are`)
  }
  return ZapierAuthError.make(
    new InvalidConfig({
      setting: missing.map(({ name }) => name).join(", "),
      problem:
        names.length === 0
          ? "set all three; separate redirect URIs by commas"
          : `they are not set, but ${names.join()} is; set them too, and separate redirect URIs by commas`
    })
  )
}

const read = /* @__PURE__ */ Effect.fnUntraced(function* (
  options: ConfigOptions
): Effect.fn.Return<Options, ZapierAuthError> {
  const clientId = yield* readVariable("clientId", options.clientId, configs.clientId)
  const clientSecret = yield* readVariable<string | Redacted.Redacted>(
    "clientSecret",
    options.clientSecret,
    configs.clientSecret
  )
  const redirectUris = yield* readVariable("redirectUris", options.redirectUris, configs.redirectUris)
  const authentication = yield* readPart<Authentication>("authentication", options.authentication ?? "Basic")
  if (Option.isSome(clientId.found) && Option.isSome(clientSecret.found) && Option.isSome(redirectUris.found)) {
    return {
      clientId: clientId.found.value,
      clientSecret: clientSecret.found.value,
      redirectUris: redirectUris.found.value,
      authentication: Option.getOrUndefined(authentication.found),
      names: { clientId: clientId.name, clientSecret: clientSecret.name, redirectUris: redirectUris.name }
    }
  }
  return yield* incomplete([clientId, clientSecret, redirectUris])
})

/**
 * Reads the application from Effect's configuration, by default the environment, at each use. Each part is a `Config` or a
 * value. If a part is missing or cannot be read, `get` fails with `InvalidConfig`, which names the part.
 *
 * @example
 * ```ts
 * import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
 * import * as Config from "effect/Config"
 *
 * // ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET and ZAPIER_REDIRECT_URIS
 * ClientApplication.layerConfig()
 *
 * ClientApplication.layerConfig({
 *   clientId: Config.String("ACME_ZAPIER_ID"),
 *   clientSecret: Config.Redacted("ACME_ZAPIER_SECRET"),
 *   redirectUris: ["https://acme.example/zapier/callback"]
 * })
 * ```
 *
 * @since 0.1.0
 */
export const layerConfig = (options: ConfigOptions = {}): Layer.Layer<ClientApplication> =>
  Layer.unwrap(
    Effect.map(ConfigProvider.ConfigProvider, (provider) =>
      layerEffect(Effect.provideService(read(options), ConfigProvider.ConfigProvider, provider))
    )
  )
