/**
 * The routes with which White Label users connect apps in Zapier's Connect UI. Loaded only by apps that have them.
 *
 * `state` is bound to the browser, the user and the tenant by the cookie's name for the attempt, which is a digest of all of
 * them. So no store is needed: without its cookie, or for another user, a callback is refused.
 */
import * as AttemptStore from "@zapier-workflow-auth/core/store/AttemptStore"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { InvalidConfig, StateMismatch, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Clock from "effect/Clock"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as HttpRouter from "effect/http/HttpRouter"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Responses from "./responses.ts"
import type * as Config from "./config.ts"
import * as ConnectionCallback from "./connectionCallback.ts"
import * as Cookies from "./cookies.ts"
import * as Paths from "./paths.ts"
import * as Quiet from "./quiet.ts"
import * as SentCookies from "./sentCookies.ts"
import * as Serving from "./serving.ts"
import * as Visit from "./visit.ts"

interface Services extends Serving.Services {
  readonly auth: ZapierAuth["Service"]
  readonly digest: Digest.Digest["Service"]
}

// How long a user may take in the Connect UI, in milliseconds. The connect token only has to open it.
const lifetime = 3_600_000

const askedBy = (request: HttpServerRequest): Responses.Asking => ({
  ...Responses.askedBy(request),
  action: "ConnectApp"
})

const repeated = ZapierAuthError.make(
  new InvalidConfig({ setting: "app", problem: "link to connections/connect with one app, such as ?app=SlackCLIAPI" })
)

export const make = (
  given: Config.Config<HttpRouter.Provided>,
  whiteLabel: Config.WhiteLabel<HttpRouter.Provided>,
  services: Services
) => {
  const { auth, digest } = services
  const config = {
    ...given,
    path: `${given.path}${Paths.connections}`,
    publicPath: `${given.publicPath}${Paths.connections}`
  }
  const { at, forUser, leaving, place, responding, returning } = Serving.make(config, services)
  const redirectUri = `${config.origin}${config.publicPath}${Paths.callbackPath}`

  const attemptOf = (state: Redacted.Redacted, subject: string, tenant: string) =>
    Effect.provideService(
      AttemptStore.keyOf(Redacted.make(JSON.stringify(["connection", Redacted.value(state), subject, tenant]))),
      Digest.Digest,
      digest
    )

  const connect = leaving((request, subject) =>
    Effect.gen(function* () {
      const query = Visit.queryOf(request)
      const [[app = "", ...apps], [reconnectId, ...more]] = [query.getAll("app"), query.getAll("reconnect_id")]
      if (apps.length > 0 || more.length > 0) return yield* repeated
      const tenant = yield* whiteLabel.tenant(request, subject)
      const users = yield* auth.whiteLabel
      const state = Redacted.make(
        Base64Url.encode(yield* SecureRandom.SecureRandom.use((random) => random.randomBytes(32)))
      )
      const { theme } = whiteLabel
      const { url } = yield* users.connectUrl({ subject, tenant, app, reconnectId, theme, redirectUri, state })
      const attempt = yield* attemptOf(state, subject, tenant)
      return { attempt, url, expiresAt: (yield* Clock.currentTimeMillis) + lifetime }
    }).pipe(Effect.provide(SecureRandom.layerWebCrypto))
  )

  const callback = Effect.fnUntraced(function* (
    request: HttpServerRequest
  ): Effect.fn.Return<Serving.Decision, never, HttpRouter.Provided> {
    const plain = Visit.plain(config)
    const parsed = ConnectionCallback.parse(yield* Quiet.queryOf(request))
    if (Result.isFailure(parsed)) return Serving.failed(ZapierAuthError.make(parsed.failure), plain)
    const { result, state } = parsed.success
    return yield* forUser(request, plain, (subject) =>
      Effect.gen(function* () {
        const attempt = yield* attemptOf(state, subject, yield* whiteLabel.tenant(request, subject))
        const sent = SentCookies.of(request)
        const note = Cookies.noteOf(sent, attempt, place)
        if (note === undefined) return yield* ZapierAuthError.make(new StateMismatch({ why: "OtherBrowser" }))
        const ways = Visit.ofNote(config, note)
        const cookies = Cookies.expire(sent, attempt, place)
        return Result.match(result, {
          onFailure: (reason): Serving.Decision => ({
            outcome: { _tag: "Failed", error: ZapierAuthError.make(reason), ...ways },
            cookies
          }),
          onSuccess: (connection): Serving.Decision => ({
            outcome: { _tag: "AppConnected", connection, ...ways },
            cookies
          })
        })
      }).pipe(Effect.catch((error) => Effect.succeed(Serving.failed(error, plain))))
    )
  })

  return [
    HttpRouter.route(...at(Paths.connect), responding(Serving.onlyVisits(returning(connect)), askedBy)),
    HttpRouter.route(...at(Paths.callback), responding(Serving.onlyVisits(callback), askedBy))
  ]
}
