/**
 * The v1 client id: it is public, so it needs no secret and no user. Against the real Zapier:
 * `ZAPIER_CLIENT_ID=abc node client-id.ts`, with the other two variables that `ClientApplication.layerConfig` reads.
 */
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

export const apps = ZapierHttpClient.use((zapier) =>
  zapier.call("GET /v1/apps", { urlParams: { category: "crm" } })
).pipe(Effect.flatMap((response) => response.text))

if (import.meta.main) {
  await Effect.runPromise(Effect.provide(Effect.flatMap(apps, Console.log), ZapierNode.layerMemory()))
}
