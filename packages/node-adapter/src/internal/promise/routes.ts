/** The routes of a client without Effect, over the services of its calls. */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as ZapierConnect from "../../ZapierConnect.ts"
import * as Responses from "../connect/responses.ts"
import * as AsWeb from "../connect/asWeb.ts"
import * as Config from "../connect/config.ts"
import * as Failures from "../connect/failures.ts"
import * as SubjectOf from "../connect/subject.ts"
import * as Visit from "../connect/visit.ts"
import * as WebHandler from "../connect/webHandler.ts"
import type { Lifetime } from "../lifetime.ts"
import type { Checked, ConnectOptions, ConnectOutcome, Subject } from "./connect.ts"
import * as Failure from "./failure.ts"

type AskSubject = (request: Request) => Subject | PromiseLike<Subject>

/** The `subject` function that was passed with this request, if any. */
const Asked = Context.Reference<AskSubject | undefined>(
  "@zapier-workflow-auth/node-adapter/internal/promise/routes/Asked",
  { defaultValue: () => undefined }
)

const noSubject = ZapierAuthError.make(
  new InvalidConfig({ setting: "connect.subject", problem: "pass a function that returns the user id of a request" })
)

const toPlain = (outcome: ZapierConnect.Outcome): ConnectOutcome =>
  "error" in outcome ? { ...outcome, error: Failure.ofError(outcome.error) } : outcome

const responding = ["respond", "respond"] as const

const isResponse = (given: unknown): given is Response => Object.prototype.toString.call(given) === "[object Response]"

/** Makes the app's own response. If it fails, that is logged, and the default response is used. */
const respondOf =
  (own: NonNullable<ConnectOptions["respond"]>): Responses.Respond<never> =>
  (outcome, asked) =>
    Effect.tryPromise({
      try: async (): Promise<unknown> => own(toPlain(outcome), asked),
      catch: Failures.toError(...responding)
    }).pipe(
      Effect.flatMap((given) => {
        if (given === undefined) return Effect.undefined
        return isResponse(given)
          ? Effect.succeed(HttpServerResponse.fromWeb(given))
          : Effect.fail(Failures.useless(...responding, given, "a Response"))
      }),
      Effect.catch((error) => Effect.as(Effect.logError(error.message), undefined))
    )

const routesOf = ({ options }: Checked) => {
  const { respond, scopes, subject, whiteLabel, ...rest } = options
  const signedIn = Layer.succeed(ZapierConnect.SignedIn, {
    subject: (request) =>
      Effect.flatMap(Asked, (asked = subject) =>
        asked === undefined
          ? Effect.fail(noSubject)
          : Effect.map(AsWeb.ask(request, asked, SubjectOf.failed), Option.fromNullishOr)
      )
  })
  return ZapierConnect.layer({
    ...rest,
    whiteLabel: AsWeb.whiteLabel(whiteLabel),
    scopes:
      typeof scopes === "function"
        ? (request, user) => AsWeb.ask(request, (asked) => scopes(asked, user), Config.scopesFailed)
        : scopes,
    respond: respond && respondOf(respond)
  }).pipe(Layer.provide(signedIn))
}

/** @param connect the validated options, or their error */
export const make = (
  lifetime: Lifetime<Context.Context<ZapierAuth>, ZapierAuthError>,
  connect: Result.Result<Checked, ZapierAuthError>
) => {
  const { config, own } = Result.match(connect, {
    onFailure: () => ({ config: undefined, own: undefined }),
    onSuccess: ({ config, options }) => ({ config, own: options.respond })
  })
  const ways = Visit.plain(config ?? { home: "/", publicPath: "" })
  const respond = Responses.make(own && respondOf(own), config?.texts ?? (() => Result.succeed({})))
  let made: WebHandler.Handle | undefined
  const handleOf = Effect.fnUntraced(function* (context: Context.Context<ZapierAuth>) {
    if (made !== undefined) return made
    const routes = Layer.provide(routesOf(yield* Effect.fromResult(connect)), Layer.succeedContext(context))
    // Routes hold no resources to close.
    const app = yield* Scope.provide(HttpRouter.toHttpEffect(routes), Scope.makeUnsafe())
    return (made = WebHandler.handleOf(app))
  })
  const handle = WebHandler.make(lifetime, handleOf, (request, error) =>
    respond({ _tag: "Failed", error, ...ways }, Responses.askedBy(request))
  )
  return (request: Request, subject: AskSubject | undefined): Promise<Response> =>
    handle(request, Context.make(Asked, subject))
}
