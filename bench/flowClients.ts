/** Flows without sockets, through an `HttpClient` in the same process. */
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as FlowServers from "./flowServers.ts"

// A flow through a client.
const flowOf = Effect.fnUntraced(function* (client: HttpClient.HttpClient) {
  const requests = FlowServers.zapierFlow()
  let next = requests.next()
  while (next.done !== true) {
    const { body, headers, method, path } = next.value
    const request = HttpClientRequest.make(method)(`https://zapier.com${path}`, { headers })
    const response = yield* client.execute(
      body === undefined ? request : HttpClientRequest.bodyText(request, body, headers["content-type"])
    )
    next = requests.next({
      status: response.status,
      location: response.headers["location"],
      body: yield* response.text
    })
  }
})

// Fixed responses of one flow, repeated, as people write by hand without a fake.
const stubOf = Effect.fnUntraced(function* (client: HttpClient.HttpClient) {
  const answers: Array<{ readonly body: string; readonly init: ResponseInit }> = []
  const recorder = HttpClient.transformResponse(
    client,
    Effect.tap(({ headers, status, text }) =>
      Effect.map(text, (body) => answers.push({ body, init: { status, headers: { ...headers } } }))
    )
  )
  yield* flowOf(recorder)
  let asked = 0
  return HttpClient.make((request) =>
    Effect.sync(() => {
      const { body, init } = answers[asked++ % answers.length] ?? { body: "", init: {} }
      return HttpClientResponse.fromWeb(request, new Response(body, init))
    })
  )
})

const through = Effect.fnUntraced(function* (name: string, client: HttpClient.HttpClient) {
  const run = Effect.runPromiseWith(yield* Effect.context())
  return { name, flow: () => run(flowOf(client)) } satisfies FlowServers.FlowServer
})

const layer = Layer.provideMerge(FakeZapier.layerHttpClient, FakeZapier.layer(FlowServers.fakeOptions))

export const inProcessName = "fake in process"

/** The fake through `FakeZapier.layerHttpClient`. */
export const inProcess = Effect.flatMap(HttpClient.HttpClient, (client) => through(inProcessName, client)).pipe(
  Effect.provide(layer)
)

export const stubName = "stub"

/** A handwritten stub. */
export const stub = Effect.flatMap(HttpClient.HttpClient, stubOf).pipe(
  Effect.flatMap((client) => through(stubName, client)),
  Effect.provide(layer)
)
