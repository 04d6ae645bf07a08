import { describe, expect, it } from "@effect/vitest"
import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import * as AuthorizationUrl from "@zapier-workflow-auth/core/oauth/AuthorizationUrl"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Settings from "@zapier-workflow-auth/core/Settings"
import * as TokenRequest from "@zapier-workflow-auth/core/oauth/TokenRequest"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Arbitraries from "../src/Arbitraries.ts"
import * as Variety from "./utils/variety.ts"

const runs = { arbitrary: { runs: 300 } }

describe("every arbitrary", () => {
  const all = Object.entries(Arbitraries).filter(([, value]) => Arbitrary.isArbitrary(value))

  it.effect.each(all)("draws different values: %s", ([, arbitrary]) =>
    Effect.gen(function* () {
      expect(yield* Variety.distinct(arbitrary)).toBeGreaterThan(30)
    })
  )
})

describe("scopes", () => {
  it.prop("may be requested, and are distinct", { scopes: Arbitraries.scopes }, ({ scopes }) => {
    expect(scopes.length).toBeGreaterThan(0)
    expect(scopes.every(Scopes.isAskable)).toBe(true)
    expect(Scopes.parse(Scopes.format(scopes))).toEqual(scopes)
  })

  it.effect("are known ones and others", () =>
    Effect.gen(function* () {
      const isKnown = (scope: string) => String((Scopes.known as ReadonlyArray<string>).includes(scope))
      expect(yield* Variety.kinds(Arbitraries.scope, isKnown)).toEqual(["false", "true"])
    })
  )
})

describe("redirectUri", () => {
  it.prop("may be registered", { uri: Arbitraries.redirectUri }, ({ uri }) => {
    expect(ClientApplication.isRedirectUri(uri)).toBe(true)
  })

  it.effect("is of every kind", () =>
    Effect.gen(function* () {
      const schemes = yield* Variety.kinds(
        Arbitraries.redirectUri,
        (uri) => new URL(uri).protocol.split(".", 1)[0] ?? ""
      )
      expect(schemes).toEqual(["com", "http:", "https:"])
    })
  )
})

describe("application", () => {
  it.prop(
    "is one that is taken",
    { options: Arbitraries.application },
    ({ options }) => {
      const application = Result.getOrThrow(ClientApplication.make(options))
      expect(Schema.is(ClientApplication.Application)(application)).toBe(true)
      expect(application.redirectUris).toEqual(options.redirectUris)
    },
    runs
  )
})

describe("settings", () => {
  it.prop(
    "are accepted, with their given values",
    { options: Arbitraries.settings },
    ({ options }) => {
      const settings = Result.getOrThrow(Settings.make(options))
      for (const name of ["requestTimeout", "responseTimeout", "retryFor"] as const) {
        const option = options[name]
        if (option !== undefined) expect(settings[name]).toBe(Duration.toMillis(Duration.fromInputUnsafe(option)))
      }
    },
    runs
  )

  it.effect("give durations in every form, or leave them out", () =>
    Effect.gen(function* () {
      const kinds = yield* Variety.kinds(Arbitraries.settings, ({ responseTimeout }) => typeof responseTimeout)
      expect(kinds).toEqual(["number", "object", "string", "undefined"])
    })
  )
})

describe("authorization", () => {
  it.prop(
    "makes a URL that says all of it",
    { parameters: Arbitraries.authorization },
    ({ parameters }) => {
      const url = new URL(Redacted.value(AuthorizationUrl.build(ZapierUrls.production, parameters)))
      expect(url.searchParams.get("client_id")).toBe(parameters.clientId)
      expect(url.searchParams.get("redirect_uri")).toBe(parameters.redirectUri)
      expect(url.searchParams.get("state")).toBe(Redacted.value(parameters.state))
      expect(Scopes.parse(url.searchParams.get("scope") ?? "")).toEqual(parameters.scopes)
    },
    runs
  )
})

describe("callback", () => {
  const said = (callback: AuthorizationCallback.Callback) => ({
    state: Redacted.value(callback.state),
    response: callback._tag === "Code" ? { code: Redacted.value(callback.code) } : { error: callback.error }
  })

  it.prop(
    "is parsed to its parameters",
    { callback: Arbitraries.callback },
    ({ callback: { input, ...expected } }) => {
      expect(Result.map(AuthorizationCallback.parse(input), said)).toEqual(Result.succeed(expected))
    },
    runs
  )

  it.prop(
    "is refused when it is invalid",
    { input: Arbitraries.invalidCallback },
    ({ input }) => {
      expect(Result.isFailure(AuthorizationCallback.parse(input))).toBe(true)
    },
    runs
  )

  const problemOf = (input: AuthorizationCallback.Input) =>
    Result.match(AuthorizationCallback.parse(input), { onSuccess: () => "none", onFailure: ({ problem }) => problem })

  it.effect("is invalid in every way", () =>
    Effect.gen(function* () {
      expect(yield* Variety.kinds(Arbitraries.invalidCallback, problemOf)).toEqual([
        "code appears more than once",
        "code has characters that are not printable ASCII",
        "code is empty",
        "it has both code and error",
        "it has neither code nor error",
        "state appears more than once",
        "state has characters that are not printable ASCII",
        "state is empty",
        "state is missing"
      ])
    })
  )

  const formOf = ({ input }: Arbitraries.Callback) =>
    typeof input === "string" ? (/^https|^\/|^\?/.exec(input)?.[0] ?? "query") : input.constructor.name

  it.effect("is given in every form", () =>
    Effect.gen(function* () {
      const forms = yield* Variety.kinds(Arbitraries.callback, formOf)
      expect(forms).toEqual(["/", "?", "Object", "URL", "URLSearchParams", "https", "query"])
    })
  )
})

describe("tokens", () => {
  it.prop("are tokens with consistent times", { tokens: Arbitraries.tokens }, ({ tokens }) => {
    expect(Schema.is(Tokens.Tokens)(tokens)).toBe(true)
    expect(Tokens.isLive(tokens, tokens.obtainedAt)).toBe(true)
    expect(Tokens.isLive(tokens, tokens.expiresAt)).toBe(false)
    expect(Tokens.dueAt(tokens, 300_000)).toBeGreaterThan(tokens.obtainedAt)
  })
})

describe("grant", () => {
  it.prop(
    "is one that stores keep",
    { grant: Arbitraries.grant },
    ({ grant }) => {
      expect(Schema.is(UserGrant.State)(grant)).toBe(true)
      const { decode, encode } = RecordCodec.grant
      const again = Option.map(decode(encode(grant)), encode)
      expect(Option.map(again, (text) => JSON.parse(text))).toEqual(Option.some(JSON.parse(encode(grant))))
    },
    runs
  )

  it.effect("is in every state", () =>
    Effect.gen(function* () {
      const states = yield* Variety.kinds(Arbitraries.grant, ({ _tag }) => _tag)
      expect(states).toEqual(["Active", "ReconnectRequired", "Refreshing"])
    })
  )
})

describe("tokenRequest", () => {
  it.prop(
    "can be sent by any application",
    { request: Arbitraries.tokenRequest, options: Arbitraries.application },
    ({ options, request }) => {
      const application = Result.getOrThrow(ClientApplication.make(options))
      const { body, method } = TokenRequest.toHttp(request, application, ZapierUrls.production.token)
      expect(method).toBe("POST")
      expect(body._tag === "Uint8Array" && new TextDecoder().decode(body.body)).toContain("grant_type=")
    },
    runs
  )

  it.effect("is of every kind", () =>
    Effect.gen(function* () {
      const kinds = yield* Variety.kinds(Arbitraries.tokenRequest, ({ _tag }) => _tag)
      expect(kinds).toEqual(["AuthorizationCode", "ClientCredentials", "Refresh"])
    })
  )
})

describe("credential", () => {
  it.effect("is of every kind", () =>
    Effect.gen(function* () {
      const kinds = yield* Variety.kinds(Arbitraries.credential, ({ _tag }) => _tag)
      expect(kinds).toEqual(["App", "ClientId", "None", "User"])
    })
  )
})
