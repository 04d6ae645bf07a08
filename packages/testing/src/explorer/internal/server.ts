/** The server of a world: it knows one application, and its users act on it from outside. */
import type * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as TokenRequest from "@zapier-workflow-auth/core/oauth/TokenRequest"
import type * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as HashMap from "effect/HashMap"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as FakeControl from "../../fake/FakeControl.ts"
import * as FakeHttp from "../../fake/FakeHttp.ts"
import * as FakeServer from "../../fake/FakeServer.ts"
import type * as FakeState from "../../fake/FakeState.ts"
import * as Lookup from "../../fake/internal/lookup.ts"
import { type Record, type Client, shared, type Callback, type World, secretOf, accessOf, slot } from "./world.ts"

export const redirectUri = "https://app.example/callback"

const clientId = "app"

const credentials = { clientId, clientSecret: "a secret", redirectUris: [redirectUri] }

const application = Result.getOrThrow(ClientApplication.make(credentials))

// For the call with the app's own token.
const enrollment: FakeState.Enrollment = {
  id: "1",
  promotionId: "promotion",
  clientId,
  userId: 1_001,
  enrolledAt: 0
}

/** A fake that knows the application. Without rate limits, because earlier requests would be part of every state. */
export const register = (settings: Partial<FakeState.Settings>): FakeState.FakeState => ({
  ...Result.getOrThrow(
    FakeControl.make({ settings: { ...settings, rateLimits: false }, apps: [{ name: "App", ...credentials }] })
  ),
  enrollments: HashMap.make([enrollment.id, enrollment])
})

const tokenRequest = (request: TokenRequest.TokenRequest): FakeHttp.FakeRequest => {
  const { body, headers, method, url } = TokenRequest.toHttp(request, application, ZapierUrls.production.token)
  return FakeHttp.request(method, url, { headers, body: body._tag === "Uint8Array" ? body.body : "" })
}

export const scopes = { user: ["zap"], app: ["promotions:write"] }

/** The scopes that the client requests. */
export const scopesOf = ({ mode }: Client): ReadonlyArray<string> => scopes[mode]

const calls = { user: ["GET", "/v2/zaps"], app: ["DELETE", "/v2/promotions/1"] } as const

// Caches a request's result: the same request reaches the same server in many worlds.
const handled = new WeakMap<
  FakeState.FakeState,
  WeakMap<TokenRequest.TokenRequest, { readonly now: number; readonly is: ReturnType<typeof FakeServer.handle> }>
>()

const handle = ({ now, server }: World, request: TokenRequest.TokenRequest) => {
  const ofServer = handled.get(server) ?? new WeakMap()
  handled.set(server, ofServer)
  const known = ofServer.get(request)
  if (known?.now === now) return known.is
  const is = FakeServer.handle(server, tokenRequest(request), now)
  ofServer.set(request, { now, is })
  return is
}

/** The server handles a token request. */
export const arrive = (world: World, request: TokenRequest.TokenRequest) => {
  const { issued, response, state } = handle(world, request)
  const parent = world.names[secretOf(request)] ?? ""
  // Without rotation, one refresh token gives several access tokens.
  const siblings = Object.values(world.names).filter((name) => name.startsWith(`${parent}a`)).length
  const names =
    issued === undefined
      ? world.names
      : {
          ...world.names,
          [issued.accessToken]: `${parent}a${siblings || ""}`,
          ...(issued.refreshToken === undefined ? {} : { [issued.refreshToken]: `${parent}r` })
        }
  return { world: { ...world, server: state, names }, response }
}

// Caches statuses: the same call reaches the same server many times.
const statuses = new WeakMap<FakeState.FakeState, { readonly now: number; readonly of: Map<string, number> }>()

/** The status of the API's response to a call with this access token. */
export const callApi = ({ now, server }: World, { mode }: Client, access: Tokens.UsableAccess): number => {
  const known = statuses.get(server)
  const asked = known?.now === now ? known : { now, of: new Map<string, number>() }
  if (asked !== known) statuses.set(server, asked)
  const accessToken = Redacted.value(access.accessToken)
  const ask = () => {
    const [method, path] = calls[mode]
    const headers = { authorization: `Bearer ${accessToken}` }
    return FakeServer.handle(server, FakeHttp.request(method, path, { headers }), now).response.status
  }
  const status = asked.of.get(accessToken) ?? ask()
  asked.of.set(accessToken, status)
  return status
}

/** True if the server would still accept the refresh token of this state. */
export const isAlive = ({ now, server }: World, state: Record): boolean =>
  "tokens" in state &&
  state.tokens.refreshToken !== undefined &&
  Lookup.isAlive(server, Redacted.value(state.tokens.refreshToken), now)

/** The user allows the app: an attempt is pending, and the browser has its callback. */
export const consent = (world: World): readonly [World, Callback] => {
  const count = Object.keys(world.store).filter((key) => key !== shared).length + 1
  const digest = `consent-${count}`
  const url = new URL(ZapierUrls.production.authorize)
  url.search = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: "zap",
    state: digest
  }).toString()
  const [location, server] = Result.getOrThrow(FakeControl.approve(world.server, url.href, {}, world.now))
  const code = new URL(location).searchParams.get("code") ?? ""
  const pending: ConsentAttempt.State = {
    _tag: "Pending",
    stateDigest: digest,
    subject: "ada",
    redirectUri: redirectUri,
    scopes: scopes.user,
    startedAt: world.now,
    expiresAt: world.now + 900_000
  }
  const allowed = {
    ...world,
    server,
    store: { ...world.store, [digest]: { version: 1, state: pending } },
    names: { ...world.names, [code]: digest }
  }
  return [allowed, { digest, code }]
}

/** The user revokes the app's access in Zapier's settings. */
export const revoke = (world: World): World => ({
  ...world,
  server: Result.getOrThrow(FakeControl.revoke(world.server, { clientId: clientId }))
})

/** The server ends the stored access token before it expires. */
export const endAccess = (world: World): World => {
  const access = accessOf(slot(world, shared))
  return access === undefined
    ? world
    : { ...world, server: FakeControl.endAccessToken(world.server, Redacted.value(access.accessToken)) }
}
