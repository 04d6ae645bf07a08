/** Decides the outcome of each request, or a response without content. */
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import type { Status, ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { StateMismatch, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Digest from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Responses from "./responses.ts"
import type * as Config from "./config.ts"
import * as Cookies from "./cookies.ts"
import * as Origin from "./origin.ts"
import * as Opener from "./opener.ts"
import type { Outcome, Ways } from "./outcome.ts"
import * as Paths from "./paths.ts"
import * as Quiet from "./quiet.ts"
import * as SentCookies from "./sentCookies.ts"
import * as Serving from "./serving.ts"
import * as Visit from "./visit.ts"

interface Services extends Serving.Services {
  readonly auth: ZapierAuth["Service"]
  readonly digest: Digest.Digest["Service"]
}

// How often to look for the outcome of another callback, and the pause between, in milliseconds.
const looks = 10
const pause = 500

const isConnected = ({ _tag }: Status) => _tag === "Active" || _tag === "Refreshing"

// Failures after which the right user, or this user again, may still use the callback.
const mayComeAgain = ({ reason }: ZapierAuthError) =>
  reason._tag === "Closed" ||
  reason._tag === "StoreFailed" ||
  reason._tag === "AppCodeFailed" ||
  (reason._tag === "StateMismatch" && reason.why === "OtherSubject")

export const make = (config: Config.Config<HttpRouter.Provided>, services: Services) => {
  const { auth, digest, subject: subjectOf } = services
  const { consent, redirectUri } = config
  const { at, forUser, leaving, own, place, responding, returning } = Serving.make(config, services)

  const connect = leaving((request, subject) =>
    Effect.flatMap(config.scopes(request, subject), (scopes) =>
      auth.authorizationUrl({ ...consent, subject, scopes, redirectUri })
    )
  )

  const disconnect: Serving.Handler = (request, subject, { ways }) => {
    if (!Origin.isOwnPost(request, own)) {
      return Effect.succeed({ outcome: { _tag: "Refused", why: "OtherSite", ...ways } })
    }
    return Effect.match(auth.disconnect(subject), {
      onFailure: (error) => Serving.failed(error, ways),
      onSuccess: (disconnected): Serving.Decision => ({ outcome: { _tag: "Disconnected", ...ways, ...disconnected } })
    })
  }

  const status: Serving.Handler = (_, subject, { ways }) =>
    Effect.match(auth.status(subject), {
      onFailure: (error) => Serving.failed(error, ways),
      onSuccess: (status): Serving.Decision => ({ outcome: { _tag: "Status", status, ...ways } })
    })

  // Of two concurrent callbacks, the first may be about to connect the user.
  const statusAfter = (subject: string, { reason }: ZapierAuthError) =>
    reason._tag === "StateMismatch" && reason.why === "AlreadyUsed"
      ? Effect.repeat(auth.status(subject), { until: isConnected, times: looks, schedule: Schedule.spaced(pause) })
      : auth.status(subject)

  /** The outcome of a failed callback. Only users with a working grant learn that they are still connected. */
  const failedFor = (subject: string, error: ZapierAuthError, ways: Ways): Effect.Effect<Outcome> => {
    const failed: Outcome = { _tag: "Failed", error, ...ways }
    return Effect.match(statusAfter(subject, error), {
      onFailure: () => failed,
      onSuccess: (status): Outcome =>
        isConnected(status) ? { _tag: "StillConnected", status, error, ...ways } : failed
    })
  }

  /** The outcome of a callback that this browser does not expect. The right browser and user can still use it. */
  const unexpected = (request: HttpServerRequest, error: ZapierAuthError): Effect.Effect<Serving.Decision> => {
    const ways = Visit.plain(config)
    return Effect.matchEffect(subjectOf(request), {
      onFailure: (unknownUser) => Effect.succeed(Serving.failed(unknownUser, ways)),
      onSuccess: Option.match({
        onNone: () => Effect.succeed(Serving.failed(error, ways)),
        onSome: (subject) => Effect.map(failedFor(subject, error, ways), (outcome): Serving.Decision => ({ outcome }))
      })
    })
  }

  const callback = Effect.fnUntraced(function* (
    request: HttpServerRequest
  ): Effect.fn.Return<Serving.Decision, never, HttpRouter.Provided> {
    const query = yield* Quiet.queryOf(request)
    const parsed = AuthorizationCallback.parse(query)
    if (Result.isFailure(parsed)) return yield* unexpected(request, ZapierAuthError.make(parsed.failure))
    const attempt = yield* Effect.provideService(AttemptStore.keyOf(parsed.success.state), Digest.Digest, digest)
    const sent = SentCookies.of(request)
    const note = Cookies.noteOf(sent, attempt, place)
    if (note === undefined)
      return yield* unexpected(request, ZapierAuthError.make(new StateMismatch({ why: "OtherBrowser" })))
    const ways = Visit.ofNote(config, note)
    const over = Cookies.expire(sent, attempt, place)
    return yield* forUser(request, ways, (subject) =>
      Effect.matchEffect(auth.handleCallback(query, { subject }), {
        onFailure: (error) =>
          Effect.map(failedFor(subject, error, ways), (outcome): Serving.Decision =>
            mayComeAgain(error) ? { outcome } : { outcome, cookies: over }
          ),
        onSuccess: ({ missingScopes: missing, ...status }) =>
          Effect.succeed<Serving.Decision>({
            outcome:
              missing.length === 0
                ? { _tag: "Connected", status, ...ways }
                : { _tag: "ScopesMissing", status, missing, ...ways },
            cookies: over
          })
      })
    )
  })

  return [
    HttpRouter.route(...at(Paths.connect), responding(Serving.onlyVisits(returning(connect)))),
    HttpRouter.route(...at(Paths.script), Effect.succeed(Opener.response)),
    HttpRouter.route(...at(Paths.callback), responding(Serving.onlyVisits(callback))),
    HttpRouter.route(...at(Paths.disconnect), responding(returning(disconnect))),
    // Only programs request the status.
    HttpRouter.route(
      ...at(Paths.status),
      responding(returning(status), (request) => ({ ...Responses.askedBy(request), format: "json" }))
    )
  ]
}
