/** The typed client over the scripted Zapier, with a user who is connected. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ZapierApiClient from "../../src/zapier/ZapierApiClient.ts"
import * as ZapierUrls from "../../src/zapier/ZapierUrls.ts"
import * as TestZapier from "./TestZapier.ts"

export const { subject } = TestZapier

/** Runs a program with a client whose next API requests are answered by the scripts, in order. */
export const run = <A, E>(
  scripts: ReadonlyArray<TestZapier.Script>,
  program: (
    client: ZapierApiClient.Client,
    zapier: ReturnType<typeof TestZapier.make>
  ) => Effect.Effect<A, E, ZapierApiClient.ZapierApiClient>,
  options?: ZapierApiClient.Options,
  api = ZapierUrls.production.api
) => {
  const zapier = TestZapier.make()
  zapier.state.scope = "zap zap:write zap:update zap:delete promotions:write"
  const layer = ZapierApiClient.layer(options).pipe(
    Layer.provideMerge(zapier.layer()),
    Layer.provide(Layer.succeed(ZapierUrls.ZapierUrls, { ...ZapierUrls.production, api }))
  )
  return Effect.gen(function* () {
    yield* TestZapier.connect(subject)
    zapier.nextApi(...scripts)
    return yield* program(yield* ZapierApiClient.ZapierApiClient, zapier)
  }).pipe(Effect.provide(layer))
}

/** A response of categories, which take no credential. */
export const categories = (next: string | null = null, count = 0) => ({ next, previous: null, count, objects: [] })

/** A Zap of version 2. */
export const zap = (id: string) => ({
  type: "zap",
  id,
  is_enabled: true,
  last_successful_run_date: null,
  updated_at: "2026-03-22T09:38:11.000Z",
  title: `Zap ${id}`,
  links: { html_editor: "https://zapier.com/editor/1" },
  steps: []
})
