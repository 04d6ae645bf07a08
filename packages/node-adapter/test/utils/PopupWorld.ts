/** An app, another host of it, and a fake Zapier, each at an origin of its own on loopback, for a real browser. */
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ZapierConnect from "../../src/ZapierConnect.ts"
import * as ZapierNode from "../../src/ZapierNode.ts"
import * as ConnectWorld from "./ConnectWorld.ts"
import * as Partner from "./Partner.ts"

export interface Options {
  readonly connect?: Partial<ZapierConnect.Options> | undefined
  /** `Cross-Origin-Opener-Policy` of all that the app answers, as Helmet sets it, and of Zapier's pages. */
  readonly policies?: { readonly app?: string; readonly zapier?: string } | undefined
}

const listening = Effect.map(
  Layer.build(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0, gracefulShutdownTimeout: 1 })),
  (server) => {
    const { address } = Context.get(server, HttpServer.HttpServer)
    // Browsers keep what sites do apart by their names: each has another.
    const { port } = new URL(HttpServer.formatAddress(address))
    const at = (host: string) => `http://${host}:${port}`
    return { server: Layer.succeedContext(server), at }
  }
)

/** What the button does is what an app would write. */
const script = (app: string) => `
  import { connectZapier } from "${app}/zapier/connect.js"
  window.results = []
  document.querySelector("button").addEventListener("click", async () => {
    const app = new URLSearchParams(location.search).get("app") ?? undefined
    window.results.push(await connectZapier({ app, returnTo: "${app}/settings" }))
    document.querySelector("output").textContent = JSON.stringify(window.results.at(-1))
  })
  document.querySelector("button").disabled = false`

const withPolicy = (policy: string | undefined) =>
  policy === undefined ? {} : { "cross-origin-opener-policy": policy }

const openerPage = (app: string) =>
  HttpServerResponse.text(
    `<!doctype html><title>Acme</title><link rel="icon" href="data:,">
<button disabled>Connect Zapier</button><output></output><script type="module">${script(app)}</script>`,
    { contentType: "text/html; charset=utf-8" }
  )

/** The page that the documentation shows. */
const documented = () => {
  const text = readFileSync(new URL("../../../../docs/connect.md", import.meta.url), "utf8")
  const blocks = Array.from(text.matchAll(/```html\n([^]*?)```/g), ([, html = ""]) => html)
  return HttpServerResponse.text(`<!doctype html>${blocks.find((html) => html.includes("connect.js")) ?? ""}`, {
    contentType: "text/html; charset=utf-8"
  })
}

export const make = Effect.fnUntraced(function* ({ connect = {}, policies = {} }: Options = {}) {
  const [app, www, zapier] = [yield* listening, yield* listening, yield* listening]
  const [appOrigin, wwwOrigin, zapierOrigin] = [app.at("127.0.0.1"), www.at("127.0.0.1"), zapier.at("localhost")]
  const redirectUri = `${appOrigin}/zapier/callback`
  const application = ConnectWorld.application(redirectUri)
  const whiteLabel = connect.whiteLabel !== undefined
  const fake = FakeZapier.make({
    apps: [
      {
        ...application,
        redirectUris: [redirectUri, `${appOrigin}/zapier/connections/callback`],
        ...(whiteLabel && { whiteLabel: Partner.registration })
      }
    ]
  })
  const policed = FakeZapier.FakeZapier.of({
    ...fake,
    handle: (request) =>
      Effect.map(fake.handle(request), (handled) => ({
        ...handled,
        response: { ...handled.response, headers: { ...handled.response.headers, ...withPolicy(policies.zapier) } }
      }))
  })
  yield* Layer.build(
    FakeZapier.layerServer.pipe(Layer.provide([Layer.succeed(FakeZapier.FakeZapier, policed), zapier.server]))
  )
  const user: { name: string | undefined } = { name: "ada" }
  const pages = Layer.mergeAll(
    HttpRouter.add("GET", "/", openerPage(appOrigin)),
    HttpRouter.add("GET", "/settings", openerPage(appOrigin)),
    HttpRouter.add("GET", "/documented", Effect.sync(documented))
  )
  const quiet = { disableLogger: true, disableListenLog: true }
  const routes = Layer.mergeAll(
    pages,
    HttpRouter.middleware(Effect.map(HttpServerResponse.setHeaders(withPolicy(policies.app))), { global: true }),
    ZapierConnect.layer({ redirectUri, scopes: ["zap"], origins: [wwwOrigin], ...connect })
  ).pipe(
    Layer.provide([
      Layer.succeed(ZapierConnect.SignedIn, { subject: () => Effect.sync(() => Option.fromUndefinedOr(user.name)) }),
      ZapierNode.layerMemory({
        application,
        urls: ZapierUrls.at(zapierOrigin),
        ...(whiteLabel && { whiteLabel: Partner.layer })
      })
    ])
  )
  yield* Layer.build(HttpRouter.serve(routes, quiet).pipe(Layer.provide(app.server)))
  yield* Layer.build(HttpRouter.serve(pages, quiet).pipe(Layer.provide(www.server)))
  return { app: appOrigin, www: wwwOrigin, zapier: zapierOrigin, fake, user }
})
