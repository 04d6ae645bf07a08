/** Every method settles with a value or a typed error, in whatever order a client is used, fails to start, and is closed. */
import { describe, expect, it, vi } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { ApplicationUnavailable, Reason, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ZapierPromise from "../src/ZapierPromise.ts"

const app = {
  name: "Acme",
  clientId: "acme",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/zapier/callback"]
}

const tags: ReadonlyArray<string> = [...Reason.members.map(({ fields }) => fields._tag.schema.literal), "CallFailed"]

const Step = Schema.Literals([
  "authorizationUrl",
  "handleCallback",
  "accessToken",
  "appToken",
  "fetch",
  "status",
  "disconnect",
  "the application is away",
  "the application is back",
  "time passes",
  "close"
])

const run = async (steps: ReadonlyArray<typeof Step.Type>) => {
  const fake = FakeZapierPromise.make({ apps: [app] })
  let isAway = false
  const away = ZapierAuthError.make(new ApplicationUnavailable({ waited: Duration.seconds(1) }))
  const application = ClientApplication.layerEffect(
    Effect.suspend(() => (isAway ? Effect.fail(away) : Effect.succeed(app)))
  )
  const zapier = ZapierPromise.make({
    application,
    fetch: fake.fetch,
    stores: "memory",
    settings: { retryFor: 0 }
  })
  const callbacks: Array<string> = []
  const results: Array<Promise<ZapierPromise.Result<unknown>>> = []
  const closings: Array<Promise<void>> = []
  for (const step of steps) {
    switch (step) {
      case "authorizationUrl": {
        const begun = zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })
        results.push(begun)
        void begun.then(async (result) => {
          if (result.ok) callbacks.push(await fake.approve(result.value.url))
        })
        break
      }
      case "handleCallback":
        results.push(zapier.handleCallback(callbacks.pop() ?? "?code=c&state=s", { subject: "ada" }))
        break
      case "accessToken":
        results.push(zapier.accessToken("ada"))
        break
      case "appToken":
        results.push(zapier.appToken(["promotions:write"]))
        break
      case "fetch":
        results.push(zapier.fetch("/v2/zaps", { subject: "ada" }))
        break
      case "status":
        results.push(zapier.status("ada"))
        break
      case "disconnect":
        results.push(zapier.disconnect("ada"))
        break
      case "the application is away":
        isAway = true
        break
      case "the application is back":
        isAway = false
        break
      case "time passes":
        await new Promise(setImmediate)
        break
      case "close":
        closings.push(zapier.close())
    }
  }
  isAway = false
  if (closings.length === 0) expect((await zapier.status("ada")).ok).toBe(true)
  closings.push(zapier.close())
  await Promise.all(closings)
  results.push(zapier.status("ada"))
  return Promise.all(results)
}

describe("ZapierPromise, in any order", () => {
  it.effect.prop(
    "settles every call",
    { steps: Schema.Array(Step) },
    ({ steps }) =>
      Effect.promise(async () => {
        const results = await run(steps)
        for (const result of results) if (!result.ok) expect(tags).toContain(result.error._tag)
        expect(results.at(-1)).toMatchObject({ ok: false, error: { _tag: "Closed" } })
        return true
      }),
    { arbitrary: { runs: 200 } }
  )

  it("does not wait for ever for a response that never comes", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    try {
      const sent = Promise.withResolvers<void>()
      const fetch = () => {
        sent.resolve()
        return new Promise<Response>(() => undefined)
      }
      const zapier = ZapierPromise.make({ application: app, fetch, stores: "memory" })
      const underWay = zapier.fetch("/v1/apps")
      await sent.promise
      let isClosed = false
      const closing = zapier.close().then(() => (isClosed = true))
      await vi.advanceTimersByTimeAsync(19_999)
      expect(isClosed).toBe(false)
      await vi.advanceTimersByTimeAsync(2)
      await closing
      expect(await underWay).toMatchObject({ ok: false, error: { _tag: "Closed" } })
    } finally {
      vi.useRealTimers()
    }
  })
})
