/** Runs the scripts against the fake, and without configuration. */
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, describe, expect, it } from "@effect/vitest"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as AppCredential from "./app-credential.ts"
import * as ClientId from "./client-id.ts"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

const fake = FakeZapier.layer({ apps: [app] })

const zapier = ZapierNode.layerMemory({
  application: app,
  httpClient: Layer.provide(FakeZapier.layerHttpClient, fake)
})

const world = Layer.merge(zapier, fake)

const runAlone = (script: string, ...args: ReadonlyArray<string>) =>
  promisify(execFile)(process.execPath, [new URL(script, import.meta.url).pathname, ...args], {
    env: { XDG_DATA_HOME: home }
  })

const home = mkdtempSync(join(tmpdir(), "zapier-examples-"))

afterAll(() => rmSync(home, { recursive: true, force: true }))

describe("client-id.ts", () => {
  it.effect("lists apps", () =>
    Effect.gen(function* () {
      expect(JSON.parse(yield* ClientId.apps)).toHaveProperty("objects")
    }).pipe(Effect.provide(world))
  )
})

describe("app-credential.ts", () => {
  it.effect("ends enrollments with one token", () =>
    Effect.gen(function* () {
      const ended = yield* AppCredential.unenrollAll(["1", "2", "3"])
      expect(ended).toEqual(["1", "2", "3"].map((enrollment_id) => ({ enrollment_id, ended: false })))
      const { requests } = yield* FakeZapier.FakeZapier
      const paths = (yield* requests).map(({ request, status }) => `${request.method} ${request.path} ${status}`).sort()
      expect(paths).toEqual([
        "DELETE /v2/promotions/1 404",
        "DELETE /v2/promotions/2 404",
        "DELETE /v2/promotions/3 404",
        "POST /oauth/token/ 200"
      ])
    }).pipe(Effect.provide(world))
  )

  it("says what to set when nothing is", async () => {
    const { stderr } = await runAlone("app-credential.ts", "1")
    expect(stderr).toMatch(/ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET, ZAPIER_REDIRECT_URIS: set all three/)
  })
})
