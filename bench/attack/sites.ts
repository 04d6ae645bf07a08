/**
 * Two apps with the "Connect Zapier" routes. `proxied` runs on Node's http with `toWebHandler`, and appears to browsers
 * as https://acme.example, as behind a TLS proxy; `local` runs on Effect's router and appears as it is, over http.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { buffer } from "node:stream/consumers"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as SqliteClient from "@zapier-workflow-auth/node-adapter/stores/SqliteClient"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Effect from "effect/Effect"
import * as HttpRouter from "effect/http/HttpRouter"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as SqlClient from "effect/sql/SqlClient"
import * as Zapier from "./zapier.ts"

/** An app that is called over HTTP. */
export interface Door {
  readonly name: string
  readonly port: number
  /** The origin that browsers see. */
  readonly origin: string
}

/** An app with the routes. */
export interface Site extends Door {
  readonly redirectUri: string
  /** How many attempts its database holds: all, or a user's. */
  readonly attempts: (user?: string) => Promise<number>
}

export interface Setup {
  readonly zapier: Zapier.Zapier
  /** How long a user may take on the consent page, in milliseconds. */
  readonly attemptLifetime: number
  /** Further origins that the app trusts. */
  readonly origins: ReadonlyArray<string>
}

const scopes = ["zap"]

// A session has its user's name before the dot: two browsers of one user have two sessions.
const subjectOf = (cookies: string | undefined) => /(?:^|; )session=([^;.]+)/.exec(cookies ?? "")?.[1]

export const secretOf = (name: string) => `s3cret-of-${name}`

export const secrets = ["proxied", "local", "brief", "express"].map(secretOf)

/** The application, registered with the fake, and the services of a site. */
const zapierOf = Effect.fnUntraced(function* (setup: Setup, name: string, redirectUri: string) {
  const application = { clientId: name, clientSecret: secretOf(name), redirectUris: [redirectUri] }
  yield* Effect.promise(() => setup.zapier.fake.registerApp({ name, ...application }))
  // In memory, because durability is not tested.
  const database = yield* Layer.build(Layer.orDie(SqliteClient.layer({ filename: ":memory:" })))
  const zapier = ZapierNode.layerWithoutStores({
    application,
    urls: ZapierUrls.at(setup.zapier.origin),
    // An endless response of Zapier delays a callback for this long, part of which a slow machine needs.
    settings: { attemptLifetime: setup.attemptLifetime, requestTimeout: "3 seconds", responseTimeout: "3 seconds" }
  }).pipe(Layer.provide(SqlStores.layer), Layer.provide(Layer.succeedContext(database)), Layer.orDie)
  const count = (user: string | undefined) =>
    Effect.flatMap(
      SqlClient.SqlClient,
      (sql) => sql<{ readonly attempts: number }>`
        SELECT count(*) AS attempts FROM zapier_consent_attempts
        WHERE ${user === undefined ? sql.literal("1 = 1") : sql`subject = ${user}`}`
    )
  const run = Effect.runPromiseWith(database)
  const attempts = async (user?: string) => (await run(count(user)))[0]?.attempts ?? 0
  const siteAt = (port: number): Site => ({ name, port, origin: new URL(redirectUri).origin, redirectUri, attempts })
  return { zapier, siteAt }
})

// Servers treat a target with another host differently: here it stays a URL of that host.
const toRequest = (incoming: IncomingMessage, origin: string, body: Buffer): Request => {
  const headers = new Headers()
  for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? "", incoming.rawHeaders[at + 1] ?? "")
  }
  const method = incoming.method ?? "GET"
  const url = new URL(incoming.url ?? "/", origin)
  return new Request(url, { method, headers, ...(body.length === 0 ? {} : { body: new Uint8Array(body) }) })
}

const respond = async (answer: Response, response: ServerResponse) => {
  const cookies = answer.headers.getSetCookie()
  const headers = [...answer.headers].filter(([name]) => name !== "set-cookie")
  response.writeHead(answer.status, [...headers, ...cookies.map((cookie) => ["set-cookie", cookie])].flat())
  response.end(await answer.text())
}

/** An app on Node's http, seen under another origin than the one it listens on. */
const onNode = Effect.fnUntraced(function* (setup: Setup, name: string, origin: string) {
  const redirectUri = `${origin}/zapier/callback`
  const { siteAt, zapier } = yield* zapierOf(setup, name, redirectUri)
  const connect = yield* Effect.acquireRelease(
    Effect.sync(() =>
      ZapierConnect.toWebHandler({
        redirectUri,
        scopes,
        pkce: true,
        origins: setup.origins,
        subject: ({ headers }) => subjectOf(headers.get("cookie") ?? undefined),
        zapier
      })
    ),
    ({ dispose }) => Effect.promise(dispose)
  )
  const handle = async (incoming: IncomingMessage, response: ServerResponse) => {
    const body = incoming.method === "POST" ? await buffer(incoming) : Buffer.alloc(0)
    await respond(await connect.handler(toRequest(incoming, origin, body)), response)
  }
  const port = yield* Zapier.listen((incoming, response) => {
    // A request from which no `Request` can be made.
    handle(incoming, response).catch(() => response.writeHead(400).end())
  })
  return siteAt(port)
})

const signedIn = Layer.succeed(ZapierConnect.SignedIn, {
  subject: ({ headers }) => Effect.succeed(Option.fromUndefinedOr(subjectOf(headers["cookie"])))
})

export const make = Effect.fnUntraced(function* (setup: Setup) {
  const server = yield* Layer.build(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
  const origin = HttpServer.formatAddress((yield* Effect.provideContext(HttpServer.HttpServer, server)).address)
  const redirectUri = `${origin}/zapier/callback`
  const { siteAt, zapier } = yield* zapierOf(setup, "local", redirectUri)
  const routes = ZapierConnect.layer({ redirectUri, scopes, pkce: true, origins: setup.origins }).pipe(
    Layer.provide([signedIn, zapier])
  )
  const quiet = { disableLogger: true, disableListenLog: true }
  yield* Layer.build(Layer.provide(HttpRouter.serve(routes, quiet), Layer.succeedContext(server)))
  return {
    proxied: yield* onNode(setup, "proxied", "https://acme.example"),
    local: siteAt(Number(new URL(origin).port)),
    /** Like `proxied`, but an attempt expires at once. */
    brief: yield* onNode({ ...setup, attemptLifetime: 50 }, "brief", "https://brief.example")
  }
})
