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
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as ApplicationProblem from "../internal/applicationProblem.ts"
import * as UriProblem from "../internal/uriProblem.ts"
import { InvalidConfig, ZapierAuthError } from "../ZapierAuthError.ts"

/**
 * Whether a text is usable as a redirect URI: absolute, without white space, fragment (RFC 6749 section 3.1.2) and password, and
 * `http` only on this very machine. An app may have a scheme of its own (RFC 8252 section 7.1).
 *
 * @since 0.1.0
 */
export const isRedirectUri = (text: string): boolean => UriProblem.uri(text) === undefined

const usable =
  (problem: (value: unknown) => string | undefined) =>
  (text: string): boolean =>
    problem(text) === undefined

// The pattern is what values are drawn by; the filter decides.
const Printable = /* @__PURE__ */ Schema.String.check(/* @__PURE__ */ Schema.isPattern(/^[\x20-\x7E]+$/))

const ClientIdText = /* @__PURE__ */ Printable.check(
  /* @__PURE__ */ Schema.makeFilter(/* @__PURE__ */ usable(ApplicationProblem.clientId), {
    expected: "a client id of printable ASCII (RFC 6749 appendix A.1)"
  })
)

const ClientSecret = /* @__PURE__ */ Schema.Redacted(
  /* @__PURE__ */ Printable.check(
    /* @__PURE__ */ Schema.makeFilter(/* @__PURE__ */ usable(ApplicationProblem.clientSecret), {
      expected: "a secret of printable ASCII (RFC 6749 appendix A.2)"
    })
  ),
  { disallowJsonEncode: true }
)

const RedirectUri = /* @__PURE__ */ Schema.String.check(
  /* @__PURE__ */ Schema.makeFilter(isRedirectUri, {
    expected: "an absolute URI without a fragment, with https unless it is on this machine"
  })
)

/**
 * How the application authenticates at the token endpoint (RFC 6749 section 2.3.1): with HTTP Basic, or with `client_id`
 * and `client_secret` in the body. Zapier takes both.
 *
 * @since 0.1.0
 */
export const Authentication = /* @__PURE__ */ Schema.Literals(["Basic", "Body"])

/**
 * @since 0.1.0
 */
export type Authentication = typeof Authentication.Type

/**
 * An application as it is registered with Zapier.
 *
 * @since 0.1.0
 */
export const Application = /* @__PURE__ */ Schema.Struct({
  /** Public. */
  clientId: ClientIdText,
  clientSecret: ClientSecret,
  /** All that are registered, spelled exactly as they are there. The first is the default. */
  redirectUris: /* @__PURE__ */ Schema.NonEmptyArray(RedirectUri),
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
  /**
   * What errors call the parts, where they come from elsewhere: `{ clientSecret: "ZAPIER_CLIENT_SECRET" }`. Default: as they
   * are called here.
   */
  readonly names?: { readonly [field in keyof Application]?: string } | undefined
}

const problems: { readonly [field in keyof Application]: (value: unknown) => string | undefined } = {
  clientId: ApplicationProblem.clientId,
  clientSecret: ApplicationProblem.clientSecret,
  redirectUris: ApplicationProblem.redirectUris,
  authentication: (value) => (value === "Basic" || value === "Body" ? undefined : "it is neither of the two")
}

const advice: { readonly [field in keyof Application]: string } = {
  clientId: "give the client id from the Developer Platform (Embed, Settings, Credentials)",
  clientSecret: "give the client secret from the Developer Platform (Embed, Settings, Credentials)",
  redirectUris:
    "give at least one redirect URI, as registered in the Developer Platform (Embed, Settings, Redirect URIs): absolute, without a fragment, with https unless it is on this machine",
  authentication: 'give "Basic" or "Body"'
}

const fields = ["clientId", "clientSecret", "redirectUris", "authentication"] as const satisfies ReadonlyArray<
  keyof Application
>

/**
 * Checks the parts of an application, wherever they come from. Fails with `InvalidConfig`, which names the part, what is
 * wrong with it and what to give, and never shows a value.
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
    // At least one: it was checked.
    redirectUris: redirectUris as Application["redirectUris"]
  })
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
  Effect.mapError(Effect.fromResult(make(options)), ZapierAuthError.make)

/**
 * An application that is read anew whenever it is needed: from a secret manager, for example. What was read is checked by
 * `make` each time. What the reading needs is what there is when the layer is built.
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
 *     catch: () => ZapierAuthError.make(new InvalidConfig({ setting: "clientSecret", problem: "the secret manager does not answer" }))
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

const variables = {
  clientId: "ZAPIER_CLIENT_ID",
  clientSecret: "ZAPIER_CLIENT_SECRET",
  redirectUris: "ZAPIER_REDIRECT_URIS"
} as const

// What follows is marked as pure, so that the bundle of a program that does not read it is without it, and without Effect's
// `Config`.

/**
 * The redirect URIs of a text, separated by commas: that of `ZAPIER_REDIRECT_URIS`.
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
 * The redirect URIs of `ZAPIER_REDIRECT_URIS`, separated by commas.
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
 * What `layerConfig` reads, for configurations that hold more: `ZAPIER_CLIENT_ID`, `ZAPIER_CLIENT_SECRET` and
 * `ZAPIER_REDIRECT_URIS`. What it gives is yet to be checked by `make`.
 *
 * @since 0.1.0
 */
export const config = /* @__PURE__ */ Config.all(configs)

/**
 * Where the parts of an application come from: each is a value, or a `Config`. Those left out are the environment's
 * `ZAPIER_CLIENT_ID`, `ZAPIER_CLIENT_SECRET` and `ZAPIER_REDIRECT_URIS`, and `Basic`.
 *
 * @since 0.1.0
 */
export interface ConfigOptions {
  /** Public. Default: `ZAPIER_CLIENT_ID`. */
  readonly clientId?: string | Config.Config<string> | undefined
  /** Default: `ZAPIER_CLIENT_SECRET`. */
  readonly clientSecret?: string | Redacted.Redacted | Config.Config<string | Redacted.Redacted> | undefined
  /** At least one. Default: `ZAPIER_REDIRECT_URIS`, separated by commas. */
  readonly redirectUris?: ReadonlyArray<string> | Config.Config<ReadonlyArray<string>> | undefined
  /** Default: `Basic`. */
  readonly authentication?: Authentication | Config.Config<Authentication> | undefined
}

type Field = keyof Application

interface Part<A> {
  readonly field: Field
  /** What errors call it. */
  readonly name: string
  readonly found: Option.Option<A>
}

const unusable = (field: Field, name: string, problem: string) =>
  ZapierAuthError.make(new InvalidConfig({ setting: name, problem: `${problem}; ${advice[field]}` }))

// A `Config` tells by which name it has looked for a value only when there is none.
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
        : Effect.match(given, {
            onFailure: (error) => ({ field, name: nameIn(error) ?? name, found }),
            onSuccess: (value) => ({ field, name, found: Option.some(value) })
          })
  })
}

const readVariable = <A>(
  field: keyof typeof variables,
  given: A | Config.Config<A> | undefined,
  variable: Config.Config<A>
) => (given === undefined ? readPart(field, variable, variables[field]) : readPart(field, given))

// One that is missing is told by its name: looking for it among three takes somebody longer.
const incomplete = (parts: ReadonlyArray<Part<unknown>>): ZapierAuthError => {
  const missing = parts.filter(({ found }) => found._tag === "None")
  const names = parts.filter(({ found }) => found._tag === "Some").map(({ name }) => name)
  const [first] = missing
  if (missing.length === 1 && first !== undefined) {
    return unusable(first.field, first.name, `it is not set, while ${names.join(" and ")} are`)
  }
  return ZapierAuthError.make(
    new InvalidConfig({
      setting: missing.map(({ name }) => name).join(", "),
      problem:
        names.length === 0
          ? "set all three, the redirect URIs separated by commas"
          : `they are not set, while ${names.join()} is; set them too, the redirect URIs separated by commas`
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
 * An application from Effect's configuration, by default the environment: each part is a `Config`, or a value. It is read
 * anew whenever it is needed; where something is missing or cannot be read, `get` fails with `InvalidConfig`, which names it.
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
