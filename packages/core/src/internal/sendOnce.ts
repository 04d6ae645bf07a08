/**
 * Sends a request over a client that may retry or follow redirects by itself, and lets it leave once.
 *
 * A client that retries runs its effect again with the same request. Two places see that: the request is an effect, which
 * is evaluated anew, and the innermost client asks `TracerDisabledWhen` about each request that it is about to send. The
 * span of a sending ends with what came of it, so that the first response is not lost when the client did not want it.
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

// What a span of the client ended with.
type Ended = Exit.Exit<unknown, unknown>

const neverLeft = (ended: Ended | undefined): boolean =>
  ended !== undefined && Option.exists(Exit.findErrorOption(ended), (error) => neverSentCode(error) !== undefined)

// A client that filters responses by their status, or decodes them, fails with the response.
const responseOf = (error: HttpClientError.HttpClientError): Sending =>
  error.response === undefined ? Effect.fail(error) : Effect.succeed(error.response)

const toSending = (ended: Ended | undefined, request: HttpClientRequest.HttpClientRequest): Sending => {
  if (ended !== undefined && Exit.isSuccess(ended)) return Effect.succeed(ended.value as HttpClientResponse)
  const error = ended === undefined ? undefined : Option.getOrUndefined(Exit.findErrorOption(ended))
  if (HttpClientError.isHttpClientError(error)) return responseOf(error)
  return Effect.fail(new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request }) }))
}

/** A tracer that tells what the span ended with that is begun first after `next`. */
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

/** Passes once, and again while nothing has left. Throws `refusal` otherwise. */
const gate = (refusal: Error, mayPassAgain: () => boolean) => {
  let hasPassed = false
  return () => {
    if (hasPassed && !mayPassAgain()) throw refusal
    hasPassed = true
  }
}

/**
 * Sends a request once, unless it is certain that nothing was sent, whatever the client does. When the client tries to
 * send it again, it is stopped, and what came of the first sending is returned. A response that the client made a failure
 * of is a response again.
 *
 * Sees retries of a client that was made by `HttpClient.make`, as all of Effect's are. What retries below that, such as a
 * `fetch` that does, is not seen. With tracing disabled the first response is not known, and `TransportError` is returned.
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
    const refusal = new Error("A token request may be sent once only")
    const evaluated = gate(refusal, () => neverLeft(first))
    const sent = gate(refusal, () => neverLeft(first))
    // Nothing of a token request but its URL is for others to see.
    const original = HttpClientRequest.post(request.url)
    const { next, tracer } = watch(
      QuietTracer.make(Context.get(context, Tracer.Tracer), { original, sent: request }),
      (ended) => (first = ended)
    )
    const isUntraced = Context.get(context, HttpClient.TracerDisabledWhen)
    // A client may send other requests on the way, to get a credential of a proxy for example.
    const isRequest = ({ body, headers }: HttpClientRequest.HttpClientRequest) =>
      body === request.body || (headers["authorization"] ?? "") === request.headers["authorization"]

    const stopped = Effect.suspend(() => Effect.andThen(onRefused, toSending(first, request)))
    const ready = Effect.map(client.preprocess(request), (prepared) => {
      evaluated()
      return prepared
    })
    return Effect.updateContext(client.postprocess(ready), (own: Context.Context<never>) =>
      own.pipe(
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
      // The response that a redirect led to with a GET, which holds no credential, is not one to this request.
      Effect.filterOrElse(
        (response) => response.request.method === request.method,
        () => stopped
      )
    )
  })
