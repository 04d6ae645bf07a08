/** The checks of `doctor` that ask the server. */
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
import * as Recognition from "./recognition.ts"
import { type Check, failed, type Finding, note, ok } from "./finding.ts"

// Seconds. A code lasts two minutes, and processes that share a database compare their clocks.
const noticeable = 10
const harmful = 60

const clockFinding = (date: string | undefined, before: number, after: number): Finding => {
  const server = Date.parse(date ?? "")
  const check = "clock"
  if (Number.isNaN(server)) return note(check, "the server sends no time")
  // The server's time is in whole seconds, and was read between these two.
  const off = server + 999 < before ? server + 999 - before : server > after ? server - after : 0
  const seconds = Math.round(Math.abs(off) / 1_000)
  if (seconds < noticeable) return ok(check, "agrees with the server's")
  const says = `is ${seconds} s ${off < 0 ? "ahead of" : "behind"} the server's. Set it by NTP`
  return seconds < harmful ? note(check, says) : failed(check, says)
}

const unreached = (code: string) => `cannot be reached (${code}). ${new TransportFailed({ code }).hint}`

const problemOf = (error: HttpClientError | TimeoutError): string => {
  const outcome = error._tag === "HttpClientError" ? TokenEndpoint.outcomeOfError(error) : undefined
  return outcome?._tag === "NotSent"
    ? unreached(outcome.code)
    : "does not respond. Check the network, and the proxy if there is one"
}

/** The head of a response, without redirects and without its body, which may be endless; or the problem. */
const get = (url: string) =>
  Effect.scoped(HttpClient.HttpClient.use((client) => HttpClient.withScope(client).get(url))).pipe(
    Effect.timeout(Recognition.patience),
    Effect.mapError(problemOf),
    Effect.result
  )

/** Fails with the findings if the server is not to be sent a credential. */
const server = Effect.gen(function* () {
  const { api } = yield* ZapierUrls.ZapierUrls
  const before = yield* Clock.currentTimeMillis
  const recognized = yield* Effect.result(Effect.mapError(Recognition.recognize, problemOf))
  const after = yield* Clock.currentTimeMillis
  if (Result.isFailure(recognized)) return yield* Effect.fail([failed("server", `${api} ${recognized.failure}`)])
  const { success } = recognized
  switch (success._tag) {
    case "Known":
      return [ok("server", success.says), clockFinding(success.page.headers["date"], before, after)]
    case "Busy":
      return yield* Effect.fail([note("server", success.says)])
    case "Stranger":
      return yield* Effect.fail([failed("server", success.says)])
  }
})

const clientId = Effect.gen(function* () {
  const { api } = yield* ZapierUrls.ZapierUrls
  const application = yield* (yield* ClientApplication).get
  const response = yield* get(`${api}/v1/apps?client_id=${encodeURIComponent(application.clientId)}`)
  const id = shown(application.clientId)
  const check = "client id"
  if (Result.isFailure(response)) return note(check, `${api} ${response.failure}`)
  const { status } = response.success
  if (status === 200) return ok(check, `Zapier knows ${id}`)
  return status === 401
    ? failed(check, `Zapier does not know ${id}. Compare it with the Developer Platform (Embed, Settings, Credentials)`)
    : note(check, `Zapier responded with ${status}, which does not show if it knows ${id}`)
})

const secretFinding = (outcome: TokenOutcome): Finding => {
  const check = "client secret"
  switch (outcome._tag) {
    case "InvalidClient":
      return failed(
        check,
        "Zapier rejects this secret. Compare it with the Developer Platform (Embed, Settings, Credentials)"
      )
    case "Granted":
      return ok(check, "Zapier accepts it")
    // Zapier looks at the rest of the request only after the secret.
    case "Refused":
    case "InvalidGrant":
      return ok(check, `Zapier accepts it, but issues no token for the app itself`)
    case "Malformed":
      return note(
        check,
        `Zapier's response (status ${outcome.status}) is malformed: ${outcome.problem}. Check the address, and the proxy if there is one`
      )
    case "RateLimited":
    case "Unavailable":
    case "NotTried":
    case "NoResponse":
      return note(check, `Zapier gave no clear response (${outcome._tag}). Try again later`)
    case "NotSent":
      return note(check, `the token endpoint ${unreached(outcome.code)}`)
  }
}

const tokenFindings = (outcome: TokenOutcome): ReadonlyArray<Finding> => {
  const finding = secretFinding(outcome)
  const oddities = outcome._tag === "Granted" ? (outcome.oddities ?? []) : []
  if (oddities.length === 0) return [finding]
  const says = `is usable, but odd: ${oddities.join(", ")}. Tell Zapier, or check the proxy`
  return [finding, note("token response", says)]
}

const secret = Effect.gen(function* () {
  const endpoint = yield* TokenEndpoint.TokenEndpoint
  const until = Number(yield* Clock.monotonicTimeNanos) / 1e6 + Recognition.patience
  const outcome = yield* endpoint
    .request({ _tag: "ClientCredentials", scopes: [] }, { until, requestTimeout: Recognition.patience, retryFor: 0 })
    .pipe(
      Effect.timeoutOption(Recognition.patience),
      Effect.map(Option.getOrElse((): TokenOutcome => ({ _tag: "NoResponse" })))
    )
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
      const response = yield* get(Redacted.value(url))
      if (Result.isFailure(response)) return note(check, `${shown(redirectUri)}: the consent page ${response.failure}`)
      const { status } = response.success
      return status >= 400
        ? failed(
            check,
            `Zapier refuses ${shown(redirectUri)} (${status}). Register it in the Developer Platform (Embed, Settings, Redirect URIs), spelled the same`
          )
        : ok(check, `Zapier accepts ${shown(redirectUri)}`)
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
    // Without an application there is nothing to check.
    yield* (yield* ClientApplication).get
    const first = yield* server
    return [...first, yield* clientId, ...(yield* secret), ...(yield* redirectUris)]
  }).pipe(
    Effect.provide(Layer.unwrap(services(flags))),
    Effect.catch((problem: ZapierAuthError | ReadonlyArray<Finding>) =>
      Effect.succeed(
        // The local checks have reported what is wrong.
        "_tag" in problem ? [note("server", "not checked, because a check above failed")] : problem
      )
    )
  )

export const all: ReadonlyArray<Check> = [online]
