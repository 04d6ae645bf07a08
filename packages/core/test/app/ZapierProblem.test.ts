import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as HttpApi from "effect/http-api/HttpApi"
import * as HttpApiBuilder from "effect/http-api/HttpApiBuilder"
import * as HttpApiClient from "effect/http-api/HttpApiClient"
import * as HttpApiEndpoint from "effect/http-api/HttpApiEndpoint"
import * as HttpApiGroup from "effect/http-api/HttpApiGroup"
import * as OpenApi from "effect/http-api/OpenApi"
import * as Layer from "effect/Layer"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as ZapierProblem from "../../src/app/ZapierProblem.ts"
import { toHttpClientError } from "../../src/internal/callErrors.ts"
import { AuthorizationRefused, type Reason, ZapierAuthError } from "../../src/ZapierAuthError.ts"
import { UnexpectedResponse, ZapierApiError } from "../../src/zapier/ZapierApiError.ts"
import { samples } from "../utils/Reasons.ts"

const request = HttpClientRequest.get("https://api.zapier.com/v2/zaps")

const errorOf = (reason: Reason) => ZapierAuthError.make(reason)

const passing = errorOf(new AuthorizationRefused({ error: "temporarily_unavailable" }))

const failures: Record<string, ZapierProblem.Failure> = {
  ...Record.map(samples, errorOf),
  "AuthorizationRefused, passing": passing,
  "a lost response": new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request }) }),
  "a wrong URL": new HttpClientError.HttpClientError({ reason: new HttpClientError.InvalidUrlError({ request }) }),
  "a reason that a plain client carries": toHttpClientError(errorOf(samples.ReconnectRequired), request),
  "a refusal that is the app's own mistake": new ZapierApiError({ endpoint: "POST /v2/zaps", status: 400 }),
  "a token that is not taken": new ZapierApiError({ endpoint: "POST /v2/zaps", status: 401 }),
  "a Zap that is gone": new ZapierApiError({ endpoint: "DELETE /v2/zaps/{id}", status: 404, detail: "for the log" }),
  "a limit": new ZapierApiError({ endpoint: "GET /v2/zaps", status: 429, retryAfter: Duration.seconds(7) }),
  "trouble at Zapier": new ZapierApiError({ endpoint: "GET /v2/zaps", status: 500 }),
  "an unexpected response": new UnexpectedResponse({ endpoint: "GET /v2/zaps", status: 200, problem: "it is HTML" }),
  "a problem": ZapierProblem.of(errorOf(samples.RateLimited))
}

const Api = HttpApi.make("app").add(
  HttpApiGroup.make("group").add(
    HttpApiEndpoint.get("fail", "/fail/:name", {
      params: { name: Schema.String },
      success: Schema.String,
      error: ZapierProblem.errors
    })
  )
)

const served = Effect.gen(function* () {
  const handlers = HttpApiBuilder.group(Api, "group", (handlers) =>
    handlers.handle("fail", ({ params }) => {
      const failure = failures[params.name]
      return failure === undefined ? Effect.succeed("no such failure") : Effect.fail(failure)
    })
  )
  const { dispose, handler } = HttpRouter.toWebHandler(
    HttpApiBuilder.layer(Api).pipe(Layer.provide([handlers, HttpServer.layerServices])),
    { disableLogger: true }
  )
  yield* Effect.addFinalizer(() => Effect.promise(dispose))
  const get = (name: string) =>
    Effect.promise(() => handler(new Request(`http://app.example/fail/${encodeURIComponent(name)}`)))
  const client = yield* HttpApiClient.makeWith(Api, {
    baseUrl: "http://app.example",
    httpClient: HttpClient.make((request, url) =>
      Effect.map(
        Effect.promise(() => handler(new Request(url))),
        (response) => HttpClientResponse.fromWeb(request, response)
      )
    )
  })
  return { get, client }
})

describe("ZapierProblem", () => {
  it.effect.each(Object.keys(failures))("an HttpApi responds to %s with its own status", (name) =>
    Effect.gen(function* () {
      const { client, get } = yield* served
      const failure = failures[name]
      if (failure === undefined) throw new Error("there is none")
      const problem = failure instanceof ZapierProblem.ZapierProblem ? failure : ZapierProblem.of(failure)
      const response = yield* get(name)
      expect(response.status).toBe(problem.status)
      expect(response.headers.get("content-type")).toBe("application/problem+json")
      expect(response.headers.get("retry-after")).toBe(
        problem.retryAfter === undefined ? null : `${problem.retryAfter}`
      )
      const body = yield* Effect.promise(() => response.text())
      expect(JSON.parse(body)).toEqual({ ...JSON.parse(JSON.stringify(problem)), retryAfter: undefined })
      const error = yield* Effect.flip(client.group.fail({ params: { name } }))
      expect(error).toBeInstanceOf(ZapierProblem.ZapierProblem)
      expect(error).toEqual(problem)
    }).pipe(Effect.scoped)
  )

  it.each(Object.values(samples))("takes the status and the advice from the reason: $_tag", (reason) => {
    const problem = ZapierProblem.of(errorOf(reason))
    const { _tag, httpStatus, isRetryable, needsReconnect } = reason
    expect(problem).toMatchObject({
      reason: _tag,
      status: httpStatus,
      isRetryable,
      needsReconnect,
      type: `urn:zapier-workflow-auth:${_tag}`
    })
  })

  it.effect.each(Object.values(samples))("is the same response without an HttpApi: $_tag", (reason) =>
    Effect.gen(function* () {
      const { get } = yield* served
      const response = HttpServerResponse.toWeb(ZapierProblem.toResponse(errorOf(reason)))
      const other = yield* get(reason._tag)
      const told = (of: Response) =>
        Effect.promise(async () => [of.status, Object.fromEntries(of.headers), await of.json()])
      expect(yield* told(response)).toEqual(yield* told(other))
    }).pipe(Effect.scoped)
  )

  it.effect("has to be an endpoint's error: for ZapierAuthError itself, Effect responds 500", () =>
    Effect.gen(function* () {
      const params = { name: Schema.String }
      const Both = HttpApi.make("both").add(
        HttpApiGroup.make("group").add(
          HttpApiEndpoint.get("named", "/named/:name", { params, error: ZapierProblem.errors }),
          HttpApiEndpoint.get("plain", "/plain/:name", { params, error: ZapierAuthError })
        )
      )
      const fail = ({ params }: { readonly params: { readonly name: string } }) =>
        Effect.fail(errorOf(samples[params.name as Reason["_tag"]]))
      const handlers = HttpApiBuilder.group(Both, "group", (handlers) =>
        handlers.handle("named", fail).handle("plain", fail)
      )
      const { dispose, handler } = HttpRouter.toWebHandler(
        HttpApiBuilder.layer(Both).pipe(Layer.provide([handlers, HttpServer.layerServices])),
        { disableLogger: true }
      )
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      const statuses = (path: string) =>
        Effect.forEach(["ReconnectRequired", "TransportFailed", "StoreFailed", "RateLimited"], (name) =>
          Effect.map(
            Effect.promise(() => handler(new Request(`http://app.example/${path}/${name}`))),
            ({ status }) => status
          )
        )
      expect(yield* statuses("named")).toEqual([409, 502, 503, 503])
      expect(yield* statuses("plain")).toEqual([500, 500, 500, 500])
    }).pipe(Effect.scoped)
  )

  it.effect("is caught by its tag", () =>
    Effect.gen(function* () {
      const { client } = yield* served
      const call = client.group.fail({ params: { name: "ReconnectRequired" } })
      expect(yield* Effect.catchTag(call, "ZapierProblem", ({ title }) => Effect.succeed(title))).toBe(
        "Reconnect required"
      )
    }).pipe(Effect.scoped)
  )

  it.each([
    ["a refusal that is the app's own mistake", 500, undefined],
    ["a token that is not taken", 500, undefined],
    ["a Zap that is gone", 404, undefined],
    ["a limit", 503, 7],
    ["trouble at Zapier", 502, undefined],
    ["an unexpected response", 502, undefined]
  ] as const)("converts the errors of the typed client: %s", (name, status, seconds) => {
    const failure = failures[name]
    if (failure === undefined || failure instanceof ZapierProblem.ZapierProblem) throw new Error("there is none")
    const { retryAfter, ...problem } = ZapierProblem.of(failure)
    expect([problem.status, retryAfter]).toEqual([status, seconds])
    expect(JSON.stringify(problem)).not.toMatch(/for the log|HTML/)
  })

  it("hides the owner's advice from clients", () => {
    for (const tag of ["InvalidConfig", "StoreFailed", "DecryptionFailed", "StartFailed", "UntrustedOrigin"] as const) {
      const { _tag, ...members } = JSON.parse(JSON.stringify(samples[tag]))
      const told = JSON.stringify(ZapierProblem.of(errorOf(samples[tag])))
      for (const member of ["setting", "problem", "store", "keyId", "failure", "origin"]) {
        if (typeof members[member] === "string") expect(told).not.toContain(members[member])
      }
      expect(told).not.toContain(samples[tag].message)
    }
  })

  it("is in the OpenAPI description, each status by itself", () => {
    const responses = OpenApi.fromApi(Api).paths["/fail/{name}"]?.get?.responses ?? {}
    expect(Object.keys(responses)).toEqual(["200", "400", "403", "404", "409", "500", "502", "503"])
    expect(Object.keys(responses[409]?.content ?? {})).toEqual(["application/problem+json"])
  })
})
