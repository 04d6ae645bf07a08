/** An app with the Connect routes beside a fake Zapier, and browsers that keep their cookies. */
import type { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ZapierConnect from "../../src/ZapierConnect.ts"
import * as ZapierNode from "../../src/ZapierNode.ts"
import * as Partner from "./Partner.ts"

const secret = "s3cret-of-acme"

export const application = (redirectUri: string) => ({
  name: "Acme",
  clientId: "acme",
  clientSecret: secret,
  redirectUris: [redirectUri]
})

const users = ["ada", "eve"].map((name) => ({ email: `${name}@example.com`, firstName: name, lastName: "Example" }))

// Who is signed in is in a cookie of the app's own.
const signedIn = Layer.succeed(ZapierConnect.SignedIn, {
  subject: ({ cookies }) => Effect.succeed(Option.fromUndefinedOr(cookies["session"]))
})

/** What a request is sent with. */
export interface Init {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A browser: it keeps cookies, and says which page sent it. */
export class Browser {
  readonly cookies = new Map<string, string>()
  /** All that it was told to keep, as it was told. */
  readonly setCookies: Array<string> = []

  constructor(user?: string) {
    if (user !== undefined) this.cookies.set("session", user)
  }

  request(url: string, init: RequestInit = {}): Request {
    const headers = new Headers(init.headers)
    const cookies = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ")
    if (cookies !== "") headers.set("cookie", cookies)
    return new Request(url, { ...init, headers })
  }

  keep(response: Response): Response {
    for (const cookie of response.headers.getSetCookie()) {
      this.setCookies.push(cookie)
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
      if (/Max-Age=0|Expires=Thu, 01 Jan 1970/i.test(cookie)) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly location: string
  readonly text: string
}

export const make = Effect.fnUntraced(function* (
  options: Partial<ZapierConnect.Options> = {},
  node: Pick<ZapierNode.Options, "settings"> = {}
) {
  const redirectUri = options.redirectUri ?? "https://acme.example/zapier/callback"
  const app = application(redirectUri)
  const registered = {
    ...app,
    redirectUris: [redirectUri, redirectUri.replace(/callback$/, "connections/callback")],
    ...(options.whiteLabel !== undefined && { whiteLabel: Partner.registration })
  }
  const fake = FakeZapier.make({ apps: [registered], users })
  const httpClient = Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, fake))
  const services = yield* Layer.build(
    ZapierNode.layerMemory({
      ...node,
      application: app,
      httpClient,
      ...(options.whiteLabel !== undefined && { whiteLabel: Partner.layer })
    })
  )
  const zapier: Layer.Layer<ZapierAuth> = Layer.succeedContext(services)
  const routes = ZapierConnect.layer({ redirectUri, scopes: ["zap"], ...options }).pipe(
    Layer.provide([signedIn, zapier])
  )
  const handle = yield* HttpRouter.toHttpEffect(routes)

  const send = Effect.fnUntraced(function* (browser: Browser, url: string, init?: RequestInit) {
    const request = browser.request(new URL(url, redirectUri).href, init)
    const answered = yield* handle.pipe(
      // As a server answers what no route is for.
      Effect.catchTag("HttpServerError", () => Effect.succeed(HttpServerResponse.empty({ status: 404 }))),
      Effect.provideService(HttpServerRequest.HttpServerRequest, HttpServerRequest.fromWeb(request)),
      Effect.scoped
    )
    const response = browser.keep(HttpServerResponse.toWeb(answered))
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      location: response.headers.get("location") ?? "",
      text: yield* Effect.promise(() => response.text())
    }
    return answer
  })

  /** Goes to the consent page by the app's own button. */
  const begin = (browser: Browser, query = "") =>
    send(browser, `/zapier/connect${query}`, { headers: { "sec-fetch-site": "same-origin" } })

  const exchanges = Effect.map(
    fake.requests,
    (requests) => requests.filter(({ request }) => request.path === "/oauth/token/").length
  )

  return { fake, zapier, send, begin, exchanges, redirectUri }
})
