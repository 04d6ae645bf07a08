/**
 * A scripted Zapier for tests of the interpreter: it rotates tokens strictly, says what it was asked, and does for the
 * next requests what a test tells it to.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type { HttpClientRequest } from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as ClientApplication from "../../src/oauth/ClientApplication.ts"
import * as MemoryStores from "../../src/store/MemoryStores.ts"
import type * as Settings from "../../src/Settings.ts"
import * as TokenEndpoint from "../../src/oauth/TokenEndpoint.ts"
import * as ZapierAuth from "../../src/ZapierAuth.ts"
import * as ZapierHttpClient from "../../src/ZapierHttpClient.ts"

/** How long an access token lives, unless `expiresIn` says otherwise. */
export const lifetime = Duration.hours(10)

/** Lets everything else that is ready run. */
export const tick = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** What happens to a request instead of the usual response. */
export type Script = (
  request: HttpClientRequest,
  usual: () => Response
) => Effect.Effect<Response, HttpClientError.HttpClientError>

export const respond =
  (status: number, body: unknown, headers: Record<string, string> = {}): Script =>
  () =>
    Effect.sync(() => {
      const text = typeof body === "string" ? body : JSON.stringify(body)
      // Statuses like 204 come without a body, and not with an empty one.
      return new Response(text === "" ? null : text, { status, headers })
    })

const transportError = (request: HttpClientRequest, code: string) =>
  new HttpClientError.HttpClientError({
    reason: new HttpClientError.TransportError({ request, cause: Object.assign(new Error(code), { code }) })
  })

/** The request never arrives, and the platform knows. */
export const refused: Script = (request) => Effect.fail(transportError(request, "ECONNREFUSED"))

/** The server acts on the request; its response is lost. */
export const responseLost: Script = (request, usual) =>
  Effect.suspend(() => {
    usual()
    return Effect.fail(transportError(request, "ECONNRESET"))
  })

/** The request is lost on its way; nobody knows. */
export const requestLost: Script = (request) => Effect.fail(transportError(request, "ECONNRESET"))

/** The server acts on the request, and responds once the gate is open. */
export const held =
  (gate: Deferred.Deferred<void>): Script =>
  (_, usual) =>
    Effect.suspend(() => {
      const response = usual()
      return Effect.as(Deferred.await(gate), response)
    })

/** No response ever comes. */
export const silent: Script = () => Effect.never

export interface Received {
  readonly method: string
  readonly url: URL
  readonly authorization: string | undefined
  readonly form: URLSearchParams
}

/** @param wrap what a user adds to the `HttpClient` */
export const make = (wrap: (client: HttpClient.HttpClient) => HttpClient.HttpClient = (client) => client) => {
  const tokenRequests: Array<Received> = []
  const apiRequests: Array<Received> = []
  const tokenScripts: Array<Script> = []
  const apiScripts: Array<Script> = []
  const state = {
    issued: 0,
    accessTokens: new Set<string>(),
    refreshTokens: new Set<string>(),
    codes: new Set<string>(["code-1", "code-2", "code-3"]),
    scope: "zap zap:write" as string | undefined,
    expiresIn: Duration.toSeconds(lifetime)
  }

  const json = (status: number, body: unknown) => new Response(JSON.stringify(body), { status })

  const issue = (withRefreshToken: boolean) => {
    state.issued++
    const accessToken = `access-token-${state.issued}`
    const refreshToken = `refresh-token-${state.issued}`
    state.accessTokens.add(accessToken)
    if (withRefreshToken) state.refreshTokens.add(refreshToken)
    return json(200, {
      access_token: accessToken,
      expires_in: state.expiresIn,
      token_type: "Bearer",
      ...(state.scope === undefined ? {} : { scope: state.scope }),
      ...(withRefreshToken ? { refresh_token: refreshToken } : {})
    })
  }

  const token = ({ form }: Received): Response => {
    switch (form.get("grant_type")) {
      case "authorization_code":
        return state.codes.delete(form.get("code") ?? "") ? issue(true) : json(400, { error: "invalid_grant" })
      case "refresh_token": {
        const known = state.refreshTokens.delete(form.get("refresh_token") ?? "")
        if (!known) return json(400, { error: "invalid_grant" })
        state.accessTokens.clear()
        return issue(true)
      }
      default:
        return issue(false)
    }
  }

  const api = ({ authorization, url }: Received): Response => {
    const accepted =
      state.accessTokens.has(authorization?.replace("Bearer ", "") ?? "") || url.searchParams.has("client_id")
    return accepted ? json(200, { data: [] }) : json(401, { errors: [] })
  }

  const client = HttpClient.make((request, url) => {
    const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
    const received: Received = {
      method: request.method,
      url,
      authorization: request.headers["authorization"],
      form: new URLSearchParams(body)
    }
    const isToken = url.pathname === "/oauth/token/"
    ;(isToken ? tokenRequests : apiRequests).push(received)
    const usual = () => (isToken ? token(received) : api(received))
    const script = (isToken ? tokenScripts : apiScripts).shift()
    return Effect.map(script === undefined ? Effect.sync(usual) : script(request, usual), (response) =>
      HttpClientResponse.fromWeb(request, response)
    )
  })

  const application = {
    clientId: "client-1",
    clientSecret: "client-secret-1",
    redirectUris: ["https://app.example/callback"]
  }

  /**
   * What processes of one machine do not share: each layer built from it is another process over the same stores. Unless
   * told otherwise, it tries no token request again.
   */
  const process = (
    settings?: Settings.Options,
    secrets = ClientApplication.layerEffect(Effect.sync(() => ({ ...application })))
  ) =>
    ZapierHttpClient.layer().pipe(
      Layer.provideMerge(ZapierAuth.layer({ retryFor: 0, ...settings })),
      Layer.provide(TokenEndpoint.layer),
      Layer.provide([
        secrets,
        Layer.succeed(HttpClient.HttpClient, wrap(client)),
        Digest.layerWebCrypto,
        SecureRandom.layerWebCrypto
      ])
    )

  return {
    state,
    application,
    tokenRequests,
    apiRequests,
    /** What is to happen to the next token requests, in order. */
    nextToken: (...scripts: ReadonlyArray<Script>) => void tokenScripts.push(...scripts),
    /** What is to happen to the next API requests, in order. */
    nextApi: (...scripts: ReadonlyArray<Script>) => void apiScripts.push(...scripts),
    process,
    layer: (settings?: Settings.Options, secrets?: Layer.Layer<ClientApplication.ClientApplication>) =>
      process(settings, secrets).pipe(Layer.provideMerge(MemoryStores.layer))
  }
}

/** The user, where there is one. */
export const subject = "user-1"

export const value = ({ accessToken }: { readonly accessToken: Redacted.Redacted }) => Redacted.value(accessToken)

/** Why it fails. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, { readonly reason: { readonly _tag: string } }, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

/** Connects a user by the next code, and gives the callback that did it. */
export const connect = Effect.fnUntraced(function* (subject: string, code = "code-1") {
  const auth = yield* ZapierAuth.ZapierAuth
  const { url } = yield* auth.authorizationUrl({ subject, scopes: ["zap", "zap:write"] })
  const state = new URL(Redacted.value(url)).searchParams.get("state") ?? ""
  const callback = `https://app.example/callback?${new URLSearchParams({ code, state })}`
  yield* auth.handleCallback(callback, { subject })
  return callback
})
