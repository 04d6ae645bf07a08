/**
 * Runs each example as a server, in a browser: connect, deny, reload, two tabs, disconnect. Environment variables point
 * it to a fake Zapier; nothing else differs.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { cp, mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { expect, it } from "@effect/vitest"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import type { BrowserContext, Page } from "playwright-core"
import { freePort } from "../../packages/node-adapter/test/utils/freePort.ts"
import * as Browser from "../../packages/testing/test/utils/Browser.ts"

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** Starts each on a port, with a copy of the Next app. */
const commands: { readonly [name: string]: (port: string, next: string) => ReadonlyArray<string> } = {
  Express: (port) => [here("express.ts"), port],
  Fastify: (port) => [here("fastify.ts"), port],
  Hono: (port) => [here("hono.ts"), port],
  Next: (port, next) => [
    here("../node_modules/next/dist/bin/next"),
    "dev",
    next,
    "--hostname",
    "127.0.0.1",
    "--port",
    port
  ]
}

const does = <A>(what: () => Promise<A>) => Effect.promise(what)

/** A fake Zapier on another host name than the app's. */
const fakeFor = Effect.fnUntraced(function* (redirectUri: string) {
  const options = { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: 1 }
  const server = yield* Layer.build(NodeHttpServer.layer(() => createServer(), options))
  const app = { name: "Acme", clientId: "acme", clientSecret: "s3cret", redirectUris: [redirectUri] }
  const fake = FakeZapier.layer({ apps: [app] })
  yield* Layer.build(FakeZapier.layerServer.pipe(Layer.provide([fake, Layer.succeedContext(server)])))
  const { port } = new URL(HttpServer.formatAddress(Context.get(server, HttpServer.HttpServer).address))
  return `http://localhost:${port}`
})

const ended = (process: ChildProcess) =>
  new Promise<void>((resolve) => (process.exitCode === null ? process.once("exit", () => resolve()) : resolve()))

/** The server listens soon after its start, or ends. */
const answers = async (origin: string, process: ChildProcess): Promise<void> => {
  while (process.exitCode === null) {
    // Like a program. @effect-diagnostics-next-line globalFetch:off
    const response = await fetch(origin).catch(() => undefined)
    if (response?.ok === true) return
    // Waits for another process. @effect-diagnostics-next-line globalTimers:off
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error("the server has ended")
}

const newFolder = (prefix: string) =>
  Effect.acquireRelease(
    does(() => mkdtemp(prefix)),
    (folder) => does(() => rm(folder, { recursive: true, force: true }))
  )

// Next writes into the app's folder, and allows one server there. The copy stays beside the example, to find its
// packages.
const copyOfNext = Effect.tap(newFolder(here(".next-")), (folder) =>
  does(() =>
    cp(here("next"), folder, { recursive: true, filter: (path) => !/\/(?:\.next|next-env\.d\.ts)$/.test(path) })
  )
)

const start = Effect.fnUntraced(function* (command: (port: string, next: string) => ReadonlyArray<string>) {
  const port = `${yield* does(freePort)}`
  const origin = `http://127.0.0.1:${port}`
  const redirectUri = `${origin}/zapier/callback`
  const folder = yield* newFolder(join(tmpdir(), "zapier-frameworks-"))
  const started = command(port, yield* copyOfNext)
  const env = {
    ...process.env,
    NEXT_TELEMETRY_DISABLED: "1",
    ZAPIER_FAKE: yield* fakeFor(redirectUri),
    ZAPIER_CLIENT_ID: "acme",
    ZAPIER_CLIENT_SECRET: "s3cret",
    ZAPIER_REDIRECT_URIS: redirectUri,
    ZAPIER_DATA_DIRECTORY: join(folder, "data")
  }
  const server = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [...started], { env, stdio: ["ignore", "ignore", "inherit"] })),
    (server) =>
      does(async () => {
        server.kill("SIGTERM")
        await ended(server)
      })
  )
  yield* does(() => answers(origin, server))
  return origin
})

const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click()

const follow = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).click()

const shows = (page: Page, text: string) => page.getByText(text).first().waitFor()

/** The URL that Zapier redirected the browser to. */
const noted = (page: Page) => {
  const callbacks: Array<string> = []
  page.on("request", (request) => {
    if (new URL(request.url()).pathname.endsWith("/zapier/callback")) callbacks.push(request.url())
  })
  return callbacks
}

const isHome = (page: Page, origin: string) => page.waitForURL(`${origin}/`)

const drive = async (context: BrowserContext, origin: string) => {
  const page = await context.newPage()
  const callbacks = noted(page)
  await page.goto(origin)
  await follow(page, "Sign in as Ada")

  // Deny: nothing has changed.
  await follow(page, "Connect Zapier")
  await press(page, "Deny")
  await shows(page, "Zapier is not connected")
  await page.goto(origin)

  // Connect, and reload the callback.
  await follow(page, "Connect Zapier")
  await press(page, "Allow")
  await isHome(page, origin)
  expect(await page.getByRole("listitem").count()).toBeGreaterThan(0)
  await page.goto(callbacks.at(-1) ?? "")
  await shows(page, "Zapier is still connected")
  await page.goto(origin)

  // Disconnect: calls notice at once.
  await press(page, "Disconnect Zapier")
  await isHome(page, origin)
  await page.getByRole("link", { name: "Connect Zapier" }).waitFor()

  // Two tabs: both end connected, in either order.
  const other = await context.newPage()
  await other.goto(origin)
  await follow(page, "Connect Zapier")
  await follow(other, "Connect Zapier")
  for (const tab of [other, page]) {
    await press(tab, "Allow")
    await isHome(tab, origin)
    expect(await tab.getByRole("listitem").count()).toBeGreaterThan(0)
  }
  await press(page, "Disconnect Zapier")
  await isHome(page, origin)
  await other.reload()
  await other.getByRole("link", { name: "Connect Zapier" }).waitFor()
}

await Browser.describeInBrowser("the examples for web frameworks", (browser) => {
  it.live.each(Object.keys(commands))("%s: connects, denies, reloads, takes two tabs, and disconnects", (name) =>
    Effect.gen(function* () {
      const origin = yield* start(commands[name] ?? (() => []))
      const context = yield* Effect.acquireRelease(
        does(() => browser.newContext()),
        (context) => does(() => context.close())
      )
      context.setDefaultTimeout(Browser.patience)
      yield* does(() => drive(context, origin))
    })
  )
})
