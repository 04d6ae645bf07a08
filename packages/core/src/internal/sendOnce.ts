/**
 * Sends a request over a client that may retry or follow redirects, but lets it leave only once.
 *
 * A retrying client runs its effect again with the same request. That is noticed in two places: the request is an effect,
 * which is evaluated again, and the innermost client calls `TracerDisabledWhen` for each request before sending. The span of
 * a request ends with its outcome, which preserves the first response even if the client discarded it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpClientResponse } from "effect/http/HttpClientResponse"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { neverSentCode } from "./neverSent.ts"
import * as QuietTracer from "./quietTracer.ts"

type Sending = Effect.Effect<HttpClientResponse, HttpClientError.HttpClientError>

// The outcome of a client's span.
type Ended = Exit.Exit<unknown, unknown>

const neverLeft = (ended: Ended | undefined): boolean =>
  ended !== undefined && Option.exists(Exit.findErrorOption(ended), (error) => neverSentCode(error) !== undefined)

// A client that filters or decodes responses fails with the response.
const responseOf = (error: HttpClientError.HttpClientError): Sending =>
  error.response === undefined ? Effect.fail(error) : Effect.succeed(error.response)

const toSending = (ended: Ended | undefined, request: HttpClientRequest.HttpClientRequest): Sending => {
  if (ended !== undefined && Exit.isSuccess(ended)) return Effect.succeed(ended.value as HttpClientResponse)
  const error = ended === undefined ? undefined : Option.getOrUndefined(Exit.findErrorOption(ended))
  if (HttpClientError.isHttpClientError(error)) return responseOf(error)
  return Effect.fail(new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request }) }))
}

/** A tracer that reports how the first span after `next` ended. */
const watch = (tracer: Tracer.Tracer, onEnd: (ended: Ended) => void) => {
  let isNext = false
  const watching: Tracer.Tracer = {
    ...(tracer.context === undefined ? {} : { context: tracer.context.bind(tracer) }),
    span: (options) => {
      const span = tracer.span(options)
      if (!isNext) return span
      isNext = false
      const end = span.end.bind(span)
      span.end = (endTime, ended) => {
        onEnd(ended)
        end(endTime, ended)
      }
      return span
    }
  }
  return { tracer: watching, next: () => void (isNext = true) }
}

// Made once: an error for each request would capture a stack for each.
const refusal = /* @__PURE__ */ new Error("A token request may be sent only once")

/** Passes once, and again only while nothing has left. Otherwise throws `refusal`. */
const gate = (mayPassAgain: () => boolean) => {
  let hasPassed = false
  return () => {
    if (hasPassed && !mayPassAgain()) throw refusal
    hasPassed = true
  }
}

/**
 * Sends a request once, whatever the client does, unless certainly nothing was sent. If the client tries again, it is
 * stopped, and the outcome of the first attempt is returned. A response that the client turned into a failure is a response
 * again.
 *
 * Notices retries of clients made by `HttpClient.make`, as all of Effect's are, but not those below it, for example in a
 * `fetch` that retries. With tracing disabled the first response is unknown, and `TransportError` is returned.
 *
 * @param onRefused runs when the client was stopped
 */
export const sendOnce = (
  client: HttpClient.HttpClient,
  request: HttpClientRequest.HttpClientRequest,
  onRefused: Effect.Effect<void>
): Sending =>
  Effect.contextWith((context: Context.Context<never>) => {
    let first: Ended | undefined
    const evaluated = gate(() => neverLeft(first))
    const sent = gate(() => neverLeft(first))
    const own = Context.get(context, Tracer.Tracer)
    const { next, tracer } = watch(
      // Show only the URL of a token request to tracers.
      QuietTracer.isSeen(own)
        ? QuietTracer.make(own, { original: HttpClientRequest.post(request.url), sent: request })
        : own,
      (ended) => (first = ended)
    )
    const isUntraced = Context.get(context, HttpClient.TracerDisabledWhen)
    // A client may send other requests in between, for example to get a proxy's credential.
    const isRequest = ({ body, headers }: HttpClientRequest.HttpClientRequest) =>
      body === request.body || (headers["authorization"] ?? "") === request.headers["authorization"]

    const stopped = Effect.suspend(() => Effect.andThen(onRefused, toSending(first, request)))
    const ready = Effect.map(client.preprocess(request), (prepared) => {
      evaluated()
      return prepared
    })
    return Effect.updateContext(client.postprocess(ready), (services: Context.Context<never>) =>
      services.pipe(
        Context.add(Tracer.Tracer, tracer),
        Context.add(HttpClient.TracerDisabledWhen, (sending) => {
          if (isRequest(sending)) {
            sent()
            first = undefined
            next()
          }
          return isUntraced(sending)
        })
      )
    ).pipe(
      Effect.catchDefect((defect) => (defect === refusal ? stopped : Effect.die(defect))),
      Effect.catch(responseOf),
      // A response to a redirected GET, which holds no credential, is not the response to this request.
      Effect.filterOrElse(
        (response) => response.request.method === request.method,
        () => stopped
      )
    )
  })
