/** Runs the app as a process, with its user in a real browser, and a fake Zapier. */
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { expect, it } from "@effect/vitest"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import { freePort } from "../../packages/node-adapter/test/utils/freePort.ts"
import { describeWithPostgres } from "../../packages/node-adapter/test/utils/PostgresSuite.ts"
import * as Browser from "../../packages/testing/test/utils/Browser.ts"

const secret = "s3cret-of-acme"

/** A fake Zapier over HTTP. */
const serveZapier = Effect.fnUntraced(function* (redirectUri: string) {
  const fake = FakeZapier.make({
    apps: [{ name: "Acme", clientId: "abc", clientSecret: secret, redirectUris: [redirectUri] }]
  })
  const server = yield* Layer.build(
    NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: 1 })
  )
  yield* Layer.build(
    FakeZapier.layerServer.pipe(
      Layer.provide([Layer.succeed(FakeZapier.FakeZapier, fake), Layer.succeedContext(server)])
    )
  )
  const { address } = Context.get(server, HttpServer.HttpServer)
  return { fake, url: `http://127.0.0.1:${new URL(HttpServer.formatAddress(address)).port}` }
})

/** An OTLP collector that keeps what it gets. */
const collect = Effect.acquireRelease(
  Effect.promise(async () => {
    const received: Array<string> = []
    const server = createServer((request, response) => {
      text(request).then(
        (body) => {
          received.push(`${request.url} ${body}`)
          response.writeHead(200, { "content-type": "application/json" }).end("{}")
        },
        () => response.destroy()
      )
    }).listen(0, "127.0.0.1")
    await new Promise((resolve) => server.once("listening", resolve))
    return { received, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  }),
  ({ server }) => Effect.sync(() => server.close().closeAllConnections())
)

// Without cookies. @effect-diagnostics-next-line globalFetch:off
const statusOf = (url: string) => fetch(url).then(({ status }) => status)

/** Starts the app, and resolves once it listens; with its output, and its end. */
const start = (env: Record<string, string>) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const child = spawn(process.execPath, [fileURLToPath(new URL("main.ts", import.meta.url))], {
        env: { ...process.env, ...env }
      })
      let printed = ""
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => void (printed += String(chunk)))
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve))
      // Before this line, a request would find a socket without the app behind it.
      await new Promise<void>((resolve, reject) => {
        child.stdout.on("data", () => printed.includes("Listening on") && resolve())
        child.once("exit", () => reject(new Error(printed)))
      })
      return { child, ended, printed: () => printed }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

await Browser.describeInBrowser("effect-app, in a browser", (browser) => {
  describeWithPostgres("effect-app", (postgres) => {
    it.live("connects who signs in, shows the Zaps, exports what it did, and stops when it is told to", () =>
      Effect.gen(function* () {
        const port = yield* Effect.promise(freePort)
        const origin = `http://localhost:${port}`
        const redirectUri = `${origin}/zapier/callback`
        const { fake, url } = yield* serveZapier(redirectUri)
        const collector = yield* collect
        const app = yield* start({
          PORT: `${port}`,
          DATABASE_URL: postgres().url,
          ZAPIER_ENCRYPTION_KEYS: randomBytes(32).toString("base64"),
          ZAPIER_CLIENT_ID: "abc",
          ZAPIER_CLIENT_SECRET: secret,
          ZAPIER_REDIRECT_URIS: redirectUri,
          ZAPIER_URL: url,
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url
        })
        yield* Effect.promise(async () => {
          const page = await browser.newPage()
          page.setDefaultTimeout(Browser.patience)
          await page.goto(origin)
          await page.getByRole("textbox", { name: "Name" }).fill("ada")
          await page.getByRole("button", { name: "Sign in" }).click()
          await page.getByRole("link", { name: "Connect Zapier" }).click()
          await page.getByRole("button", { name: "Allow" }).click()
          await page.waitForURL(`${origin}/`)
          await page.locator("main p").first().waitFor()
          expect(await page.locator("main p").count()).toBeGreaterThan(0)
          // No user is signed in here.
          expect(await statusOf(`${origin}/api/zaps`)).toBe(401)
          await page.close()
        })
        const granted = (yield* fake.issued).flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken])
        app.child.kill("SIGTERM")
        expect([yield* Effect.promise(() => app.ended), app.child.signalCode]).toEqual([130, null])
        const told = collector.received.join("\n")
        expect(told).toContain("/v1/traces")
        expect(told).toContain("zaps.list")
        expect(told).toContain("zapier_auth_token_requests")
        expect(granted.length).toBeGreaterThan(1)
        for (const leaked of [secret, ...granted]) expect(told + app.printed()).not.toContain(leaked)
      })
    )
  })
})
