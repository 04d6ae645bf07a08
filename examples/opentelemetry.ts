/**
 * Spans and metrics to OpenTelemetry, by Effect's own exporter. The library's spans record each endpoint's credential
 * and outcome, and the outcomes of token requests; its metrics count calls by endpoint, mode and status class, token
 * requests, rejections and replays. Neither contains a secret, nor a user's name.
 *
 * With a collector at OTEL_EXPORTER_OTLP_ENDPOINT and the three ZAPIER_ variables: `node opentelemetry.ts ada`
 */
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"

/** Exports everything that runs with this layer; the rest is exported when it closes. */
export const telemetry = (baseUrl: string) =>
  Otlp.layerJson({ baseUrl, resource: { serviceName: "acme" } }).pipe(Layer.provide(FetchHttpClient.layer))

const collector = Config.String("OTEL_EXPORTER_OTLP_ENDPOINT").pipe(Config.withDefault("http://127.0.0.1:4318"))

export const countZaps = Effect.fn("countZaps")(function* (subject: string) {
  const zapier = yield* ZapierHttpClient
  const response = yield* zapier.call("GET /v2/zaps", { credential: Credential.user(subject) })
  yield* Effect.annotateCurrentSpan("status", response.status)
  return response.status
})

if (import.meta.main) {
  const program = Effect.flatMap(countZaps(process.argv[2] ?? "me"), Console.log)
  // Below the library's layer, too: a token request serves all its waiting callers, and has its own trace.
  const exported = Layer.unwrap(Effect.map(collector, telemetry))
  await Effect.runPromise(Effect.provide(program, Layer.provideMerge(ZapierNode.layer(), exported)))
}
