/**
 * An app on Express 4 and 5 that passes the framework's query to `handleCallback`, in a handler without error handling:
 * an exception ends the process. It imitates other frameworks' query parsers, too.
 */
// The lack of error handling is on purpose.
/* oxlint-disable oxc/no-async-endpoint-handlers, typescript/no-misused-promises */
import type { AddressInfo } from "node:net"
import { parse as parseQuery } from "node:querystring"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import type express from "express4"
import express4 from "express4"
import express5 from "express5"
import fastQuery from "fast-querystring"
import * as Qs from "qs"

const [origin = "", clientSecret = "", redirectUri = ""] = process.argv.slice(2)

const zapier = ZapierPromise.fromLayer(
  ZapierNode.layerMemory({
    application: { clientId: "express", clientSecret, redirectUris: [redirectUri] },
    urls: ZapierUrls.at(origin)
  })
)

// Hono's `queries()`, and Next's `searchParams` and `req.query`.
const listsOf = (query: string) => {
  const params = new URLSearchParams(query)
  return Object.fromEntries([...params.keys()].map((name) => [name, params.getAll(name)]))
}

const parsers: { readonly [name: string]: (query: string) => unknown } = {
  "node:querystring, Koa": (query) => parseQuery(query),
  Fastify: (query) => fastQuery.parse(query),
  "Hono, first values": (query) => Object.fromEntries([...new URLSearchParams(query)].toReversed()),
  "Hono, all values": listsOf,
  Next: (query) =>
    Object.fromEntries(
      Object.entries(listsOf(query)).map(([name, values]) => [name, values.length > 1 ? values : values[0]])
    ),
  URLSearchParams: (query) => new URLSearchParams(query),
  URL: (query) => new URL(`https://express.example/callback?${query}`),
  "a text": (query) => query,
  qs: (query) => Qs.parse(query),
  "qs, all features": (query) =>
    Qs.parse(query, {
      allowDots: true,
      allowPrototypes: true,
      allowSparse: true,
      arrayLimit: 1_000,
      charset: "iso-8859-1",
      charsetSentinel: true,
      comma: true,
      depth: 50,
      interpretNumericEntities: true,
      strictNullHandling: true
    }),
  "qs, without prototypes": (query) => Qs.parse(query, { plainObjects: true, strictNullHandling: true }),
  "a Map's entries": (query) => new Map(new URLSearchParams(query)),
  FormData: (query) => {
    const form = new FormData()
    for (const [name, value] of new URLSearchParams(query)) form.append(name, value)
    return form
  }
}

const subjectOf = (request: express.Request) =>
  /(?:^|; )session=([^;.]+)/.exec(request.headers.cookie ?? "")?.[1] ?? "nobody"

const settle = async (input: unknown, request: express.Request, response: express.Response) => {
  const connected = await zapier.handleCallback(input as string, { subject: subjectOf(request) })
  if (connected.ok) response.redirect(303, "/")
  else
    response.status(connected.error.httpStatus).type("text").send(`${connected.error._tag}: ${connected.error.message}`)
}

const onExpress = (app: express.Express, json: express.RequestHandler) => {
  app.get("/connect", async (request, response) => {
    const consent = await zapier.authorizationUrl({ subject: subjectOf(request), scopes: ["zap"] })
    if (consent.ok) response.redirect(303, consent.value.url)
    else response.status(consent.error.httpStatus).end()
  })
  app.get("/callback", (request, response) => settle(request.query, request, response))
  app.get("/parsed/:parser/callback", (request, response) => {
    const parser = parsers[request.params["parser"] ?? ""]
    const query = request.originalUrl.slice(request.originalUrl.indexOf("?") + 1)
    return settle(parser?.(query), request, response)
  })
  app.post("/json", json, (request, response) => settle(request.body, request, response))
  app.get("/status", async (request, response) => {
    const status = await zapier.status(subjectOf(request))
    response.json({ connected: status.ok && status.value._tag === "Active" })
  })
  return app.listen(0, "127.0.0.1")
}

// One app for both versions, whose types differ only where the app does not use them.
const servers = [
  onExpress(express4(), express4.json({ strict: false })),
  onExpress(express5() as unknown as express.Express, express5.json({ strict: false }))
]

process.on("disconnect", () => process.exit())
await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))))
process.send?.({
  ports: servers.map((server) => (server.address() as AddressInfo).port),
  parsers: Object.keys(parsers)
})
