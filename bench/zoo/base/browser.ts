/** Browsers with cookies, and a web app on Effect's router that they visit. */
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as Scenario from "@zapier-workflow-auth/testing/Scenario"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Library from "./library.ts"

export const origin = "https://acme.example"

interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

class Web extends Context.Service<Web, (request: Request) => Effect.Effect<Answered>>()("zoo/Web") {}

class Browsers extends Context.Service<Browsers, Map<string, Map<string, string>>>()("zoo/Browsers") {
  static readonly layer = Layer.sync(Browsers, () => new Map<string, Map<string, string>>())
}

// Without a promise: time does not go on before a page is there.
const answered = (response: HttpServerResponse.HttpServerResponse): Answered => {
  const { headers, status } = HttpServerResponse.toWeb(response)
  const text = response.body._tag === "Uint8Array" ? new TextDecoder().decode(response.body.body) : ""
  return { headers, status, text }
}

export const userOf = (request: HttpServerRequest.HttpServerRequest) => Option.fromUndefinedOr(request.cookies["user"])

export const page = (body: string, status = 200) =>
  HttpServerResponse.setStatus(HttpServerResponse.html(`<!doctype html>${body}`), status)

const internalError = "Internal server error"

/** What a call may fail with. */
type Failure = Effect.Error<ReturnType<typeof Library.zaps>>

/** What a route may answer with. */
export type Page = Effect.Effect<HttpServerResponse.HttpServerResponse, Failure, Library.Services>

export const connectPage = page(`<a href="/connect">Connect Zapier</a>`)

export const downPage = page("<p>Your Zaps cannot be shown right now.</p>", 503)

export const listPage = (titles: ReadonlyArray<string>) =>
  page(`<ul>${titles.map((title) => `<li>${title}</li>`).join("")}</ul>`)

export const homePage = (user: string): Page =>
  Library.zaps(user).pipe(
    Effect.map(listPage),
    Effect.catchReason("ZapierAuthError", "ReconnectRequired", () => Effect.succeed(connectPage)),
    Effect.orElseSucceed(() => downPage)
  )

/** A route for a user who is signed in. */
export const route = (
  method: "GET" | "POST",
  path: `/${string}`,
  show: (user: string, request: HttpServerRequest.HttpServerRequest) => Page
) =>
  HttpRouter.use((router) =>
    Effect.gen(function* () {
      const services = yield* Effect.context<Library.Services>()
      yield* router.add(method, path, (request) =>
        Option.match(userOf(request), {
          onNone: () => Effect.succeed(page("Sign in", 401)),
          onSome: (user) =>
            show(user, request).pipe(
              Effect.provideContext(services),
              // As a router does with what nobody has handled.
              Effect.catchCause(() => Effect.succeed(page(internalError, 500)))
            )
        })
      )
    })
  )

const visit = Effect.fnUntraced(function* (subject: string, method: "GET" | "POST", path: string) {
  const browsers = yield* Browsers
  const answer = yield* Web
  const jar = browsers.get(subject) ?? new Map([["user", subject]])
  browsers.set(subject, jar)
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ")
  const headers = { cookie, origin, "sec-fetch-site": "same-origin" }
  const { headers: received, status, text } = yield* answer(new Request(`${origin}${path}`, { method, headers }))
  for (const set of received.getSetCookie()) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(set) ?? []
    if (/max-age=0/i.test(set)) jar.delete(name)
    else jar.set(name, value)
  }
  return { status, text, location: received.get("location") ?? "" }
})

/** A page that is not what the user came for. */
export class Odd extends Data.TaggedError("Odd")<{ readonly status: number; readonly text: string }> {}

/** The app's page that asks to connect. */
class Reconnect extends Data.TaggedError("Reconnect")<{}> {}

const isFine = (status: number) => status < 400

/** The app, as browsers see it. */
export const appOf = <E extends {}>(routes: Layer.Layer<never, E, HttpRouter.HttpRouter | Library.Services>) =>
  Scenario.make({
    stores: Layer.merge(MemoryStores.layer, Browsers.layer),
    layer: Layer.merge(
      Layer.effect(
        Web,
        Effect.gen(function* () {
          const answer = yield* HttpRouter.toHttpEffect(routes)
          const services = yield* Effect.context<Library.Services>()
          return (request: Request) =>
            answer.pipe(
              Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request)),
              Effect.provideContext(services),
              Effect.scoped,
              Effect.map(answered),
              Effect.orDie
            )
        })
      ).pipe(Layer.provide(Library.layer)),
      Layer.effect(Browsers, Browsers)
    ),
    logIn: (subject) =>
      Effect.flatMap(visit(subject, "GET", "/connect"), ({ location, status, text }) =>
        status === 303 ? Effect.succeed(location) : Effect.fail(new Odd({ status, text }))
      ),
    comeBack: (callback, subject) =>
      Effect.flatMap(visit(subject, "GET", callback.replace(origin, "")), ({ status, text }) =>
        isFine(status) ? Effect.void : Effect.fail(new Odd({ status, text }))
      ),
    call: (subject) =>
      Effect.flatMap(visit(subject, "GET", "/"), ({ status, text }): Effect.Effect<string, Odd | Reconnect> => {
        if (text.includes("Connect Zapier")) return Effect.fail(new Reconnect())
        return isFine(status) ? Effect.succeed(text) : Effect.fail(new Odd({ status, text }))
      }),
    disconnect: (subject) =>
      Effect.flatMap(visit(subject, "POST", "/disconnect"), ({ status, text }) =>
        isFine(status) ? Effect.void : Effect.fail(new Odd({ status, text }))
      ),
    shows: (exit) => {
      if (exit._tag === "Success") return "Data"
      const error = exit.cause.reasons.find((reason) => reason._tag === "Fail")?.error
      if (error instanceof Reconnect) return "Connect"
      return error instanceof Odd && !error.text.endsWith(internalError) ? "TryLater" : "Broken"
    }
  })
