/**
 * Keeps a callback's parameters out of the server's own spans and errors.
 *
 * The routes run inside the server's span. Effect sets that span's attributes, including the whole URL, after the response
 * was made, and ends it with the request or response. So the span is patched while the routes run, and masks values from
 * then on.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpServerError from "effect/http/HttpServerError"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Tracer from "effect/Tracer"
import * as Paths from "./paths.ts"

type Request = HttpServerRequest.HttpServerRequest

type App<E, R> = Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>

// The secret parameters of a callback (RFC 6749 section 4.1.2), and the one of an address of Zapier's Connect UI.
const names = ["code", "state", "token"]

const mask = "REDACTED"

// Shorter values are not secrets, and may be part of any text.
const shortest = 8

const searchOf = (url: string): string => (url.includes("?") ? url.slice(url.indexOf("?")) : "")

/** The parameters' values, both decoded and as written in the query. */
const secretsOf = (url: string): ReadonlyArray<string> => {
  const search = searchOf(url).replace(/#.*$/s, "")
  const query = new URLSearchParams(search)
  const written = search.split(/[?&]/).flatMap((part) => {
    const [name = "", value = ""] = part.split(/=(.*)/s)
    return names.includes([...new URLSearchParams(name).keys()][0] ?? "") ? [value] : []
  })
  return [...names.flatMap((name) => query.getAll(name)), ...written].filter(({ length }) => length >= shortest)
}

const isHidden = (key: string) => /\.header\.(?:authorization|proxy-authorization|cookie|set-cookie)$/.test(key)

const masked = (key: string, value: unknown, secrets: Iterable<string>): unknown => {
  if (isHidden(key)) return "<redacted>"
  if (typeof value !== "string") return value
  const text = value.includes("?")
    ? UrlParams.redactUrl(value, names)
    : key.endsWith("query")
      ? UrlParams.redactUrl(`?${value}`, names).slice(1)
      : value
  return [...secrets].reduce((text, secret) => text.replaceAll(secret, mask), text)
}

const maskUrl = (url: string): string => UrlParams.redactUrl(url, names)

/** The request with only its method and masked URL, because the platform's holds the whole URL and all cookies. */
const bareRequest = (request: Request): Request => {
  const url = `http://localhost${maskUrl(request.url)}`
  const { method } = request
  const made = Result.try(() => new globalThis.Request(url, { method }))
  // `Request` refuses some methods, and some targets are not paths.
  return HttpServerRequest.fromWeb(Result.getOrElse(made, () => new globalThis.Request("http://localhost/")))
}

const bareResponse = ({ status }: HttpServerResponse.HttpServerResponse) => HttpServerResponse.empty({ status })

const bareReason = (reason: HttpServerError.HttpServerErrorReason): HttpServerError.HttpServerErrorReason => {
  const { cause, description } = reason
  const common = {
    request: bareRequest(reason.request),
    ...(description === undefined ? {} : { description }),
    ...(cause === undefined ? {} : { cause })
  }
  switch (reason._tag) {
    case "RequestParseError":
      return new HttpServerError.RequestParseError({
        ...common,
        ...(reason.reason === undefined ? {} : { reason: reason.reason })
      })
    case "RouteNotFound":
      return new HttpServerError.RouteNotFound(common)
    case "InternalError":
      return new HttpServerError.InternalError(common)
    case "ResponseError":
      return new HttpServerError.ResponseError({ ...common, response: bareResponse(reason.response) })
  }
}

const bareError = (error: unknown): unknown =>
  HttpServerError.isHttpServerError(error)
    ? new HttpServerError.HttpServerError({ reason: bareReason(error.reason) })
    : error

const bareCause = <E>(cause: Cause.Cause<E>): Cause.Cause<E> =>
  Cause.fromReasons(
    cause.reasons.map((reason) => {
      switch (reason._tag) {
        case "Fail":
          // An `HttpServerError` stays one.
          return Cause.makeFailReason(bareError(reason.error) as E).annotate(Cause.reasonAnnotations(reason))
        case "Die":
          return Cause.makeDieReason(bareError(reason.defect)).annotate(Cause.reasonAnnotations(reason))
        case "Interrupt":
          return reason
      }
    })
  )

const bareExit = (exit: Exit.Exit<unknown, unknown>): Exit.Exit<unknown, unknown> => {
  if (Exit.isFailure(exit)) return Exit.failCause(bareCause(exit.cause))
  return HttpServerResponse.isHttpServerResponse(exit.value) ? Exit.succeed(bareResponse(exit.value)) : exit
}

// The secrets of a span's requests: usually one request, unless the app has its own spans.
const quieted = new WeakMap<Tracer.Span, Set<string>>()

const quietSpan = (span: Tracer.Span, secrets: ReadonlyArray<string>) => {
  const known = quieted.get(span)
  const all = known ?? new Set<string>()
  for (const secret of secrets) all.add(secret)
  if (known !== undefined) return
  quieted.set(span, all)
  const attribute = span.attribute.bind(span)
  const end = span.end.bind(span)
  span.attribute = (key, value) => attribute(key, masked(key, value, all))
  span.end = (endTime, exit) => end(endTime, bareExit(exit))
  // Mask attributes that are already set.
  for (const [key, value] of span.attributes) {
    const now = masked(key, value, all)
    if (now !== value) attribute(key, now)
  }
}

/** The spans around the request, up to the server's outermost. Those outside it do not concern the request. */
const spansOf = (context: Context.Context<never>): ReadonlyArray<Tracer.Span> => {
  const spans: Array<Tracer.Span> = []
  let next = Context.getOption(context, Tracer.ParentSpan)
  while (Option.isSome(next) && next.value._tag === "Span") {
    spans.push(next.value)
    next = next.value.parent
  }
  return spans.slice(0, spans.findLastIndex(({ kind }) => kind === "server") + 1)
}

const quietly = <E, R>(request: Request, app: App<E, R>): App<E, R> =>
  Effect.contextWith((context: Context.Context<R>) => {
    const secrets = secretsOf(request.url)
    for (const span of spansOf(context)) quietSpan(span, secrets)
    return Effect.catchCause(app, (cause) => Effect.failCause(bareCause(cause)))
  })

/** Wraps the handler of a route whose URL or response may hold a code or `state`, so that the server shows neither. */
export const handler =
  <E, R>(handle: (request: Request) => App<E, R>) =>
  (request: Request): App<E, R> =>
    quietly(request, handle(request))

/**
 * Masks all requests of a router that look like a callback, whether or not a route exists for them. A callback has `state`
 * with a code, an error or a connection; below the routes' own path, any of these is enough.
 */
export const router =
  (path: string) =>
  <E, R>(app: App<E, R>): App<E, R | HttpServerRequest.HttpServerRequest> =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (given) => {
      const query = new URLSearchParams(searchOf(given.url))
      const isBelow = `${Paths.ofUrl(given.url)}/`.includes(`${path.toLowerCase()}/`)
      const isCallback = query.has("state") && ["code", "error", "authentication_id"].some((name) => query.has(name))
      return isCallback || (isBelow && names.some((name) => query.has(name))) ? quietly(given, app) : app
    })

/** The callback's query, which only the routes see. */
const Query = Context.Reference<Option.Option<Redacted.Redacted>>(
  "@zapier-workflow-auth/node-adapter/internal/connect/quiet/Query",
  { defaultValue: Option.none }
)

/** The original query of a request. */
export const queryOf = ({ url }: Request): Effect.Effect<URLSearchParams> =>
  Effect.map(
    Query,
    (hidden) => new URLSearchParams(Option.match(hidden, { onNone: () => searchOf(url), onSome: Redacted.value }))
  )

/** Masks the query of callback requests for everything inside, except the routes. */
export const hide =
  (paths: ReadonlyArray<string>) =>
  <E, R>(app: App<E, R>): App<E, R | HttpServerRequest.HttpServerRequest> =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (given): App<E, R> => {
      const { url } = given
      if (!paths.some((path) => Paths.ofUrl(url) === path.toLowerCase())) return app
      const query = Option.some(Redacted.make(searchOf(url), { label: "query" }))
      const shown = given.modify({ url: maskUrl(url) })
      return quietly(
        given,
        app.pipe(Effect.provideService(HttpServerRequest.HttpServerRequest, shown), Effect.provideService(Query, query))
      )
    })
