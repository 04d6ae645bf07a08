/** A correct, handwritten OAuth client over an `HttpClient`, without the library. Bugs override one of its methods. */
import { ClientApplication } from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import type * as ScenarioApp from "@zapier-workflow-auth/testing/scenario/ScenarioApp"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import { SecureRandom } from "effect/crypto/SecureRandom"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { Database, type Row } from "./database.ts"

/** The user has to connect, or to connect again. */
export class Reconnect extends Data.TaggedError("Reconnect")<{ readonly why: string }> {}

/** It does not work at the moment. */
export class Unavailable extends Data.TaggedError("Unavailable")<{ readonly why: string }> {}

/** The callback is invalid. */
export class Refused extends Data.TaggedError("Refused")<{ readonly why: string }> {}

export type AppError = Reconnect | Unavailable | Refused

/** A result of the token endpoint. */
export type TokenResult =
  | {
      readonly _tag: "Granted"
      readonly accessToken: string
      readonly refreshToken: string | undefined
      /** In seconds. */
      readonly expiresIn: number
      /** When the request was sent, in milliseconds since the epoch. */
      readonly askedAt: number
    }
  | { readonly _tag: "Refused"; readonly error: string }
  | { readonly _tag: "Failed"; readonly status: number; readonly retryAfter: number }

export type Granted = Extract<TokenResult, { readonly _tag: "Granted" }>

/** A result of Zapier's API. */
export interface Reply {
  readonly status: number
  /** In seconds, 0 if missing. */
  readonly retryAfter: number
  readonly json: unknown
}

const TokenBody = Schema.Struct({
  access_token: Schema.String,
  refresh_token: Schema.optionalKey(Schema.String),
  expires_in: Schema.Finite
})

const ErrorBody = Schema.Struct({ error: Schema.String })

const Zaps = Schema.Struct({ data: Schema.Array(Schema.Struct({ title: Schema.String })) })

const redirectUri = "https://acme.example/callback"

/** How long a user may take on the consent page, in milliseconds. */
const attemptLifetime = 600_000

/** The services of a client. */
export interface Parts {
  readonly http: HttpClient.HttpClient
  readonly application: ClientApplication["Service"]
  readonly random: SecureRandom["Service"]
  readonly db: Database["Service"]
  readonly scope: Scope.Scope
}

const retryAfterOf = ({ headers }: { readonly headers: { readonly [name: string]: string | undefined } }) =>
  Math.max(0, Number(headers["retry-after"] ?? 0) || 0)

/** The client. */
export class ByHand {
  readonly http: Parts["http"]
  readonly application: Parts["application"]
  readonly random: Parts["random"]
  readonly db: Parts["db"]
  readonly scope: Parts["scope"]
  readonly locks = new Map<string, Semaphore.Semaphore>()

  constructor({ application, db, http, random, scope }: Parts) {
    this.http = http
    this.application = application
    this.random = random
    this.db = db
    this.scope = scope
  }

  readonly now: Effect.Effect<number> = Clock.currentTimeMillis

  // --- Connecting ------------------------------------------------------------

  newState(_subject: string): Effect.Effect<string> {
    return Effect.orDie(this.random.uuidV4())
  }

  logIn(subject: string): Effect.Effect<string, AppError> {
    return Effect.gen({ self: this }, function* () {
      const state = yield* this.newState(subject)
      this.db.attempts.set(state, { subject, expiresAt: (yield* this.now) + attemptLifetime })
      const query = { response_type: "code", client_id: "acme", redirect_uri: redirectUri, scope: "zap profile", state }
      return `https://api.zapier.com/v2/authorize?${new URLSearchParams(query)}`
    })
  }

  /** Takes an attempt, and returns its user. */
  takeAttempt(state: string, signedIn: string): Effect.Effect<string, AppError> {
    return Effect.gen({ self: this }, function* () {
      const found = this.db.attempts.get(state)
      if (found === undefined || found.subject !== signedIn) return yield* new Refused({ why: "state" })
      this.db.attempts.delete(state)
      if (found.expiresAt <= (yield* this.now)) return yield* new Refused({ why: "expired" })
      return found.subject
    })
  }

  denied(_subject: string): Effect.Effect<void, AppError> {
    return Effect.fail(new Refused({ why: "denied" }))
  }

  comeBack(callback: string, signedIn: string): Effect.Effect<void, AppError> {
    return this.alone(
      signedIn,
      Effect.gen({ self: this }, function* () {
        const parameters = new URL(callback).searchParams
        const subject = yield* this.takeAttempt(parameters.get("state") ?? "", signedIn)
        const code = parameters.get("code")
        if (code === null) return yield* this.denied(subject)
        const response = yield* this.exchange(code)
        if (response._tag !== "Granted") return yield* new Unavailable({ why: "exchange" })
        this.connected(subject)
        yield* this.save(subject, this.rowOf(response, undefined), undefined)
      })
    )
  }

  exchange(code: string): Effect.Effect<TokenResult> {
    return this.askForTokens({ grant_type: "authorization_code", code, redirect_uri: redirectUri })
  }

  /** Another account may be connected now, so the cached data of the previous one is dropped. */
  connected(subject: string): void {
    this.db.lists.delete(subject)
  }

  disconnect(subject: string): Effect.Effect<void, AppError> {
    return Effect.sync(() => {
      this.db.rows.delete(subject)
      this.db.lists.delete(subject)
    })
  }

  // --- Token requests ----------------------------------------------------------

  get secret(): Effect.Effect<string> {
    return Effect.map(Effect.orDie(this.application.get), ({ clientSecret }) => Redacted.value(clientSecret))
  }

  askForTokens(form: { readonly [name: string]: string }): Effect.Effect<TokenResult> {
    const failed = (status: number, retryAfter = 0): TokenResult => ({ _tag: "Failed", status, retryAfter })
    return Effect.gen({ self: this }, function* () {
      const askedAt = yield* this.now
      const request = HttpClientRequest.post("https://zapier.com/oauth/token/").pipe(
        HttpClientRequest.basicAuth("acme", encodeURIComponent(yield* this.secret)),
        HttpClientRequest.bodyUrlParams(form)
      )
      const response = yield* this.http.execute(request)
      const { status } = response
      if (status >= 500 || status === 429) return failed(status, retryAfterOf(response))
      const json = yield* response.json
      if (status !== 200) {
        const { error } = yield* Schema.decodeUnknownEffect(ErrorBody)(json)
        return { _tag: "Refused", error } satisfies TokenResult
      }
      const body = yield* Schema.decodeUnknownEffect(TokenBody)(json)
      return {
        _tag: "Granted",
        askedAt,
        accessToken: body.access_token,
        refreshToken: body.refresh_token,
        expiresIn: body.expires_in
      } satisfies TokenResult
    }).pipe(
      Effect.timeout("20 seconds"),
      Effect.orElseSucceed(() => failed(0))
    )
  }

  /** When an access token expires, in milliseconds since the epoch. */
  expiryOf({ askedAt, expiresIn }: Granted): number {
    return askedAt + expiresIn * 1_000
  }

  rowOf(response: Granted, before: Row | undefined): Row {
    return {
      accessToken: response.accessToken,
      refreshToken: response.refreshToken ?? before?.refreshToken,
      expiresAt: this.expiryOf(response),
      isDead: false
    }
  }

  // --- Rows --------------------------------------------------------------------

  load(subject: string): Effect.Effect<Row | undefined> {
    return Effect.sync(() => this.db.rows.get(subject))
  }

  /** Writes a row if it has not changed; if there was none before, in any case. */
  save(subject: string, row: Row, before: Row | undefined): Effect.Effect<void> {
    return Effect.sync(() => {
      if (before === undefined || this.db.rows.get(subject) === before) this.db.rows.set(subject, row)
    })
  }

  // --- Access tokens -------------------------------------------------------------

  /** One at a time for each user. It continues if a waiting caller gives up. */
  alone<A>(subject: string, effect: Effect.Effect<A, AppError>): Effect.Effect<A, AppError> {
    const lock = this.locks.get(subject) ?? Semaphore.makeUnsafe(1)
    this.locks.set(subject, lock)
    return Effect.flatMap(Effect.forkIn(lock.withPermits(1)(effect), this.scope), Fiber.join)
  }

  isDue({ expiresAt }: Row, now: number): boolean {
    return now >= expiresAt
  }

  /**
   * @param rejected an access token that Zapier does not accept
   */
  accessToken(subject: string, rejected?: string): Effect.Effect<string, AppError> {
    return this.alone(
      subject,
      Effect.gen({ self: this }, function* () {
        const row = yield* this.load(subject)
        if (row === undefined || row.isDead) return yield* new Reconnect({ why: "not connected" })
        const isGood = !this.isDue(row, yield* this.now) && row.accessToken !== rejected
        return isGood ? row.accessToken : yield* this.refresh(subject, row)
      })
    )
  }

  refresh(subject: string, row: Row): Effect.Effect<string, AppError> {
    return Effect.gen({ self: this }, function* () {
      if (row.refreshToken === undefined) return yield* new Reconnect({ why: "no refresh token" })
      const response = yield* this.askForTokens({ grant_type: "refresh_token", refresh_token: row.refreshToken })
      if (response._tag !== "Granted") return yield* this.refreshFailed(subject, row, response)
      yield* this.save(subject, this.rowOf(response, row), row)
      const now = yield* this.load(subject)
      return now === undefined ? yield* new Reconnect({ why: "disconnected" }) : now.accessToken
    })
  }

  refreshFailed(subject: string, row: Row, response: Exclude<TokenResult, Granted>): Effect.Effect<never, AppError> {
    if (response._tag === "Refused" && response.error === "invalid_grant") {
      return Effect.andThen(
        this.save(subject, { ...row, isDead: true }, row),
        Effect.fail(new Reconnect({ why: "invalid_grant" }))
      )
    }
    return Effect.fail(new Unavailable({ why: "refresh" }))
  }

  // --- Calls -------------------------------------------------------------------------

  send(token: string, method: "GET" | "POST", path: string, body?: unknown): Effect.Effect<Reply, AppError> {
    const plain = HttpClientRequest.make(method)(`https://api.zapier.com${path}`).pipe(
      HttpClientRequest.bearerToken(token)
    )
    const request = body === undefined ? plain : HttpClientRequest.setBody(plain, HttpBody.jsonUnsafe(body))
    return Effect.gen({ self: this }, function* () {
      const response = yield* this.http.execute(request)
      const json = yield* Effect.orElseSucceed(response.json, () => undefined)
      return { status: response.status, retryAfter: retryAfterOf(response), json }
    }).pipe(Effect.mapError(() => new Unavailable({ why: "no response" })))
  }

  request(subject: string, method: "GET" | "POST", path: string, body?: unknown): Effect.Effect<unknown, AppError> {
    return Effect.gen({ self: this }, function* () {
      const token = yield* this.accessToken(subject)
      let reply = yield* this.send(token, method, path, body)
      if (reply.status === 401) {
        reply = yield* this.send(yield* this.accessToken(subject, token), method, path, body)
      }
      if (reply.status >= 300 || reply.json === undefined) return yield* new Unavailable({ why: `${reply.status}` })
      return reply.json
    })
  }

  zaps(subject: string): Effect.Effect<ReadonlyArray<string>, AppError> {
    return Effect.gen({ self: this }, function* () {
      const json = yield* this.request(subject, "GET", "/v2/zaps")
      const { data } = yield* Effect.mapError(
        Schema.decodeUnknownEffect(Zaps)(json),
        () => new Unavailable({ why: "not a list" })
      )
      return data.map(({ title }) => title)
    })
  }

  call(subject: string): Effect.Effect<unknown, AppError> {
    return this.zaps(subject)
  }

  /** The app's background work. */
  job(_name: string): Effect.Effect<unknown, AppError> {
    return Effect.void
  }
}

/** The running client. */
class Client extends Context.Service<Client, ByHand>()("zoo/Client") {}

export type Make = new (parts: Parts) => ByHand

export const layerOf = (Made: Make) =>
  Layer.effect(
    Client,
    Effect.gen(function* () {
      return new Made({
        http: yield* HttpClient.HttpClient,
        application: yield* ClientApplication,
        random: yield* SecureRandom,
        db: yield* Database,
        scope: yield* Effect.scope
      })
    })
  )

const asksToReconnect = (error: unknown) => error instanceof Reconnect

/** The app with one of these clients. */
export const appOf = (Made: Make) =>
  Scenario.make({
    stores: Database.layer,
    layer: layerOf(Made),
    logIn: (subject) => Client.use((client) => client.logIn(subject)),
    comeBack: (callback, subject) => Client.use((client) => client.comeBack(callback, subject)),
    call: (subject) => Client.use((client) => client.call(subject)).pipe(Effect.timeout("1 minute")),
    disconnect: (subject) => Client.use((client) => client.disconnect(subject)),
    asksToReconnect
  })

/** The app with a background job. */
export const withJob = (Made: Make, expects: ScenarioApp.Expects = {}) =>
  Scenario.make({
    ...appOf(Made),
    expects,
    actions: {
      schema: Schema.Struct({ job: Schema.Literals(["digest"]) }),
      run: ({ job }) => Client.use((client) => client.job(job)).pipe(Effect.timeout("1 minute"))
    }
  })
