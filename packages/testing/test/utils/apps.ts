/** Small apps: one over the library, and one that does everything by itself and may do it wrong. */
import { ClientApplication } from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as TokenRequest from "@zapier-workflow-auth/core/oauth/TokenRequest"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Scenario from "../../src/Scenario.ts"

/** The library, as an app has it. */
export const library = Scenario.make({
  stores: MemoryStores.layer,
  layer: ZapierHttpClient.layer().pipe(Layer.provideMerge(ZapierAuth.layer()), Layer.provide(TokenEndpoint.layer)),
  logIn: (subject) =>
    ZapierAuth.ZapierAuth.use((auth) => auth.authorizationUrl({ subject, scopes: ["zap"] })).pipe(
      Effect.map(({ url }) => Redacted.value(url))
    ),
  comeBack: (callback, subject) => ZapierAuth.ZapierAuth.use((auth) => auth.handleCallback(callback, { subject })),
  call: (subject) =>
    ZapierHttpClient.ZapierHttpClient.use((zapier) =>
      zapier.call("GET /v2/zaps", { credential: Credential.user(subject) })
    ).pipe(Effect.timeout("1 minute")),
  disconnect: (subject) => ZapierAuth.ZapierAuth.use((auth) => auth.disconnect(subject))
})

interface Held {
  readonly accessToken: string
  readonly refreshToken: string
  readonly expiresAt: number
}

/** A database: what users have connected, by subject, and who has begun to connect, by state. */
export class Database extends Context.Service<
  Database,
  { readonly held: Map<string, Held>; readonly begun: Map<string, string> }
>()("test/Database") {}

class Failed extends Data.TaggedError("Failed")<{ readonly why: "Reconnect" | "Denied" | "Zapier" }> {}

/** What may be wrong with it. */
export interface Flaws {
  /** Each call refreshes for itself. */
  readonly refreshesAlone?: boolean
  /** It goes on with the refresh token that it has, whatever the answer says. */
  readonly keepsRefreshToken?: boolean
  /** Its token in memory is that of the last who called. */
  readonly mixesUsersUp?: boolean
  /** It only says that it has forgotten a user. */
  readonly forgetsNobody?: boolean
  /** It takes any failure of a refresh for the end. */
  readonly givesUp?: boolean
  /** It renews at every call. */
  readonly renewsAlways?: boolean
  /** A refresh that is under way brings back who was disconnected meanwhile. */
  readonly bringsBack?: boolean
  /** A refresh ends when the user who asked for it hangs up. */
  readonly endsWithCaller?: boolean
  /** It has no patience limit: what never comes is waited for. */
  readonly waitsForEver?: boolean
  /** It takes any code, whoever has begun to connect. */
  readonly takesAnyCode?: boolean
  /** It shows an empty list when something goes wrong. */
  readonly swallowsErrors?: boolean
  /** It logs what the token endpoint answers. */
  readonly logsTokens?: boolean
  /** It cannot serve anybody. */
  readonly isDown?: boolean
}

class App extends Context.Service<
  App,
  {
    readonly begin: (subject: string) => Effect.Effect<string>
    readonly connect: (callback: string, subject: string) => Effect.Effect<void, Failed>
    readonly call: (subject: string) => Effect.Effect<number, Failed>
    readonly disconnect: (subject: string) => Effect.Effect<void>
  }
>()("test/App") {}

const redirectUri = "https://acme.example/callback"

const tokenUrl = "https://zapier.com/oauth/token/"

const Answer = Schema.Struct({
  access_token: Schema.String,
  refresh_token: Schema.optionalKey(Schema.String),
  expires_in: Schema.Finite
})

const Refusal = Schema.Struct({ error: Schema.String })

const makeApp = (flaws: Flaws) =>
  Effect.gen(function* () {
    const http = yield* HttpClient.HttpClient
    const application = yield* ClientApplication
    const { begun, held } = yield* Database
    const random = yield* SecureRandom
    const scope = yield* Effect.scope
    const locks = new Map<string, Semaphore.Semaphore>()
    const failed = (why: Failed["why"]) => Effect.fail(new Failed({ why }))
    let last: string | undefined

    const token = (subject: string, form: Record<string, string>) =>
      Effect.gen(function* () {
        const authorization = TokenRequest.basic(yield* Effect.orDie(application.get))
        const startedAt = yield* Clock.currentTimeMillis
        const request = HttpClientRequest.post(tokenUrl).pipe(
          HttpClientRequest.setHeader("authorization", authorization),
          HttpClientRequest.bodyUrlParams(form)
        )
        const response = yield* http.execute(request)
        if (response.status !== 200) {
          const { error } = yield* HttpClientResponse.schemaBodyJson(Refusal)(response)
          return yield* failed(error === "invalid_grant" ? "Reconnect" : "Zapier")
        }
        const answer = yield* HttpClientResponse.schemaBodyJson(Answer)(response)
        if (flaws.logsTokens) yield* Effect.logInfo("answered", answer)
        const before = held.get(subject)
        if (before === undefined && "refresh_token" in form && !flaws.bringsBack) return yield* failed("Reconnect")
        const old = before?.refreshToken ?? ""
        held.set(subject, {
          accessToken: answer.access_token,
          refreshToken: flaws.keepsRefreshToken && old !== "" ? old : (answer.refresh_token ?? old),
          expiresAt: startedAt + answer.expires_in * 1_000
        })
        last = undefined
        return held.get(subject)
      }).pipe(
        Effect.timeout(flaws.waitsForEver ? "1 day" : "20 seconds"),
        Effect.catch((error) =>
          failed(flaws.givesUp || (error instanceof Failed && error.why === "Reconnect") ? "Reconnect" : "Zapier")
        )
      )

    const fresh = (subject: string, rejected?: string) =>
      Effect.gen(function* () {
        const found = held.get(subject)
        if (found === undefined) return yield* failed("Reconnect")
        const isOver = (yield* Clock.currentTimeMillis) >= found.expiresAt || found.accessToken === rejected
        const isDue = flaws.renewsAlways === true || isOver
        return isDue
          ? ((yield* token(subject, { grant_type: "refresh_token", refresh_token: found.refreshToken })) ?? found)
          : found
      })

    const lockOf = (subject: string) => {
      const lock = locks.get(subject) ?? Semaphore.makeUnsafe(1)
      locks.set(subject, lock)
      return lock
    }

    const tokenFor = (subject: string, rejected?: string) => {
      const alone = fresh(subject, rejected)
      const led = flaws.refreshesAlone ? alone : lockOf(subject).withPermits(1)(alone)
      return flaws.endsWithCaller ? led : Effect.flatMap(Effect.forkIn(led, scope), Fiber.join)
    }

    return App.of({
      begin: (subject) =>
        Effect.gen(function* () {
          const state = yield* Effect.orDie(random.uuidV4())
          begun.set(state, subject)
          return `https://api.zapier.com/v2/authorize?${new URLSearchParams({
            response_type: "code",
            client_id: "acme",
            redirect_uri: redirectUri,
            scope: "zap",
            state
          })}`
        }),
      connect: (callback, subject) => {
        const { searchParams } = new URL(callback)
        const code = searchParams.get("code")
        const state = searchParams.get("state") ?? ""
        if (begun.get(state) !== subject && !flaws.takesAnyCode) return failed("Denied")
        begun.delete(state)
        return code === null
          ? failed("Denied")
          : Effect.asVoid(token(subject, { grant_type: "authorization_code", code, redirect_uri: redirectUri }))
      },
      call: (subject) =>
        Effect.gen(function* () {
          const { accessToken } = yield* tokenFor(subject)
          if (flaws.isDown) return yield* failed("Zapier")
          last ??= accessToken
          const send = (token: string) =>
            http.execute(
              HttpClientRequest.get("https://api.zapier.com/v2/zaps").pipe(HttpClientRequest.bearerToken(token))
            )
          const first = yield* send(flaws.mixesUsersUp ? last : accessToken)
          const { status } =
            first.status === 401 ? yield* send((yield* tokenFor(subject, accessToken)).accessToken) : first
          return status === 200 ? status : yield* failed("Zapier")
        }).pipe(
          Effect.timeout("1 minute"),
          Effect.catchIf(
            (error) => !(error instanceof Failed),
            () => failed("Zapier")
          ),
          Effect.catch((error) => (flaws.swallowsErrors ? Effect.succeed(0) : Effect.fail(error)))
        ),
      disconnect: (subject) => Effect.sync(() => (flaws.forgetsNobody ? undefined : void held.delete(subject)))
    })
  })

/** Everything by itself. It looks right, but for its flaws. */
export const homemade = (flaws: Flaws) =>
  Scenario.make({
    stores: Layer.sync(Database, () => ({ held: new Map(), begun: new Map() })),
    layer: Layer.effect(App, makeApp(flaws)),
    logIn: (subject) => App.use((app) => app.begin(subject)),
    comeBack: (callback, subject) => App.use((app) => app.connect(callback, subject)),
    call: (subject) => App.use((app) => app.call(subject)),
    disconnect: (subject) => App.use((app) => app.disconnect(subject)),
    asksToReconnect: (error) => error instanceof Failed && error.why === "Reconnect"
  })
