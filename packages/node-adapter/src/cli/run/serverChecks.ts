/** What `doctor` asks the server about. */
import * as AuthorizationUrl from "@zapier-workflow-auth/core/oauth/AuthorizationUrl"
import { ClientApplication } from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import type { TokenOutcome } from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import { TransportFailed, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import type { TimeoutError } from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Transport from "../../internal/transport.ts"
import * as Application from "../application.ts"
import type * as Flags from "../flags.ts"
import * as Server from "../server.ts"
import { shown } from "../shown.ts"
import { type Check, type Finding, note, ok, wrong } from "./finding.ts"

// Seconds. A code lasts two minutes, and processes that share a database compare their clocks with each other's.
const noticeable = 10
const harmful = 60

// Milliseconds for one answer.
const patience = 20_000

const clockFinding = (date: string | undefined, before: number, after: number): Finding => {
  const server = Date.parse(date ?? "")
  const check = "clock"
  if (Number.isNaN(server)) return note(check, "the server did not say what time it is")
  // The server's is in whole seconds, and was read at some time between.
  const off = server + 999 < before ? server + 999 - before : server > after ? server - after : 0
  const seconds = Math.round(Math.abs(off) / 1_000)
  if (seconds < noticeable) return ok(check, "agrees with the server's")
  const says = `is ${seconds} s ${off < 0 ? "ahead of" : "behind"} the server's: let it be set by NTP`
  return seconds < harmful ? note(check, says) : wrong(check, says)
}

const unreached = (code: string) => `cannot be reached (${code}). ${new TransportFailed({ code }).hint}`

const problemOf = (error: HttpClientError | TimeoutError): string => {
  const outcome = error._tag === "HttpClientError" ? TokenEndpoint.outcomeOfError(error) : undefined
  return outcome?._tag === "NotSent"
    ? unreached(outcome.code)
    : "does not answer. Check the connection, and the proxy if there is one"
}

/** An answer, without following it anywhere, and without its body, which may have no end; or why there is none. */
const get = (url: string) =>
  Effect.scoped(HttpClient.HttpClient.use((client) => HttpClient.withScope(client).get(url))).pipe(
    Effect.timeout(patience),
    Effect.mapError(problemOf),
    Effect.result
  )

const clientId = Effect.gen(function* () {
  const { api } = yield* ZapierUrls.ZapierUrls
  const application = yield* (yield* ClientApplication).get
  const before = yield* Clock.currentTimeMillis
  const answer = yield* get(`${api}/v1/apps?client_id=${encodeURIComponent(application.clientId)}`)
  const after = yield* Clock.currentTimeMillis
  if (Result.isFailure(answer)) return [wrong("server", `${api} ${answer.failure}`)]
  const { headers, status } = answer.success
  const id = shown(application.clientId)
  const check = "client id"
  const taken =
    status === 401
      ? wrong(
          check,
          `Zapier does not know ${id}. Compare it with the Developer Platform (Embed, Settings, Credentials)`
        )
      : status === 200
        ? ok(check, `Zapier knows ${id}`)
        : note(check, `Zapier answered with ${status}, which says nothing about ${id}`)
  return [ok("server", `${api} answers`), clockFinding(headers["date"], before, after), taken]
})

const secretFinding = (outcome: TokenOutcome): Finding => {
  const check = "client secret"
  switch (outcome._tag) {
    case "InvalidClient":
      return wrong(
        check,
        "Zapier does not take the client id with this secret. Compare both with the Developer Platform (Embed, Settings, Credentials)"
      )
    case "Granted":
      return ok(check, "Zapier takes it")
    // What else is wrong with the request was looked at after the secret.
    case "Refused":
    case "InvalidGrant":
      return ok(check, `Zapier takes it, but gives the app no token of its own`)
    case "Malformed":
      return note(
        check,
        `Zapier's answer (status ${outcome.status}) cannot be understood: ${outcome.problem}. Check the address, and the proxy if there is one`
      )
    case "RateLimited":
    case "Unavailable":
    case "NotTried":
    case "NoResponse":
      return note(check, `Zapier did not say (${outcome._tag}). Try again later`)
    case "NotSent":
      return note(check, `the token endpoint ${unreached(outcome.code)}`)
  }
}

const tokenFindings = (outcome: TokenOutcome): ReadonlyArray<Finding> => {
  const finding = secretFinding(outcome)
  const oddities = outcome._tag === "Granted" ? (outcome.oddities ?? []) : []
  if (oddities.length === 0) return [finding]
  const says = `is taken, but not all of it is as it should be: ${oddities.join(", ")}. Tell Zapier, or look at the proxy`
  return [finding, note("token response", says)]
}

const secret = Effect.gen(function* () {
  const endpoint = yield* TokenEndpoint.TokenEndpoint
  const until = Number(yield* Clock.monotonicTimeNanos) / 1e6 + patience
  const outcome = yield* endpoint
    .request({ _tag: "ClientCredentials", scopes: [] }, { until, requestTimeout: patience, retryFor: 0 })
    .pipe(Effect.timeoutOption(patience), Effect.map(Option.getOrElse((): TokenOutcome => ({ _tag: "NoResponse" }))))
  return tokenFindings(outcome)
})

const redirectUris = Effect.gen(function* () {
  const urls = yield* ZapierUrls.ZapierUrls
  const application = yield* (yield* ClientApplication).get
  const check = "redirect URI at Zapier"
  return yield* Effect.forEach(application.redirectUris, (redirectUri) =>
    Effect.gen(function* () {
      const url = AuthorizationUrl.build(urls, {
        clientId: application.clientId,
        redirectUri,
        scopes: ["zap"],
        state: Redacted.make("doctor")
      })
      const answer = yield* get(Redacted.value(url))
      if (Result.isFailure(answer)) return note(check, `${shown(redirectUri)}: the consent page ${answer.failure}`)
      const { status } = answer.success
      return status >= 400
        ? wrong(
            check,
            `${shown(redirectUri)} is refused (${status}). Register it in the Developer Platform (Embed, Settings, Redirect URIs), spelled the same`
          )
        : ok(check, `${shown(redirectUri)} is not refused`)
    })
  )
})

const services = Effect.fnUntraced(function* (flags: Flags.Connection) {
  return TokenEndpoint.layer.pipe(
    Layer.provideMerge([
      Application.layer(flags),
      Transport.layer,
      Layer.succeed(HttpClient.TracerPropagationEnabled, false),
      Layer.succeed(ZapierUrls.ZapierUrls, yield* Server.urls(flags))
    ])
  )
})

const online = (flags: Flags.Connection) =>
  Effect.gen(function* () {
    const first = yield* clientId
    // Where nobody answers there is no more to ask.
    if (first.some(({ check, result }) => check === "server" && result === "wrong")) return first
    return [...first, ...(yield* secret), ...(yield* redirectUris)]
  }).pipe(
    Effect.provide(Layer.unwrap(services(flags))),
    // What is wrong with the application has been said.
    Effect.catch((error: ZapierAuthError) => Effect.succeed([note("server", `was not asked: ${error.message}`)]))
  )

export const all: ReadonlyArray<Check> = [online]
