import { describe, expect, it } from "@effect/vitest"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type { HttpClient } from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { once } from "node:events"
import { type AddressInfo, createServer, type LookupFunction, type Server, type Socket } from "node:net"
import * as Tls from "node:tls"
import * as Certificate from "./utils/certificate.ts"

/** A server of loopback, and where it is. It ends with the scope, and its connections with it. */
const listen = (server: Server) => {
  const sockets = new Set<Socket>()
  server.on("connection", (socket) => void sockets.add(socket))
  return Effect.acquireRelease(
    Effect.promise(async () => {
      server.listen(0, "127.0.0.1")
      await once(server, "listening")
      return (server.address() as AddressInfo).port
    }),
    () =>
      Effect.promise(() => {
        for (const socket of sockets) socket.destroy()
        return new Promise((resolve) => server.close(resolve))
      })
  )
}

const closing = (socket: Socket, last = "") => void socket.on("error", () => {}).end(last)

/** Notes what comes after the handshake. */
const tlsServer = (options: Tls.TlsOptions, received: Array<string>) =>
  Tls.createServer(options, (socket) => {
    socket.on("error", () => {})
    socket.on("data", (data) => {
      received.push(String(data))
      socket.destroy()
    })
  }).on("tlsClientError", () => {})

const plainServer = (answer?: string) => createServer((socket) => closing(socket, answer))

interface Trust {
  readonly ca?: string
  readonly lookup?: LookupFunction
}

const clients = {
  undici: (trust: Trust) => NodeHttpClient.layerUndiciOptions({ connect: { ...trust, autoSelectFamily: true } }),
  "node:https": (trust: Trust) => NodeHttpClient.layerNodeHttpOptions({ ...trust, autoSelectFamily: true }),
  fetch: () => FetchHttpClient.layer
} satisfies { readonly [name: string]: (trust: Trust) => Layer.Layer<HttpClient> }

const everyClient = ["undici", "node:https", "fetch"] as const

/** What comes of a code that is sent to a port. */
const outcomeAt = (port: number, client: Layer.Layer<HttpClient>, host = "localhost") => {
  const urls = { ...ZapierUrls.production, token: `https://${host}:${port}/oauth/token/` }
  const application = { clientId: "a", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }
  return TokenEndpoint.TokenEndpoint.use((endpoint) =>
    endpoint.request(
      {
        _tag: "AuthorizationCode",
        code: Tokens.secret("c0de"),
        redirectUri: "https://acme.example/callback",
        codeVerifier: undefined,
        scopes: ["zap"]
      },
      { until: Number.POSITIVE_INFINITY, requestTimeout: 20_000, retryFor: 0 }
    )
  ).pipe(
    Effect.provide(
      TokenEndpoint.layer.pipe(
        Layer.provide([client, ClientApplication.layer(application), Layer.succeed(ZapierUrls.ZapierUrls, urls)])
      )
    )
  )
}

const trusted = Certificate.make()
const tomorrows = Certificate.make({ valid: [1, 3] })
const yesterdays = Certificate.make({ valid: [-3, -1] })
const others = Certificate.make({ host: "other.example" })
const old: Tls.TlsOptions = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }

// A process trusts what it was started with: `fetch` cannot be told otherwise here.
const withTrust = ["undici", "node:https"] as const

interface Case {
  readonly name: string
  readonly server: (received: Array<string>) => Server
  readonly code: string
  readonly ca?: string
}

const cases: ReadonlyArray<Case> = [
  {
    name: "an issuer that is not known",
    server: (received) => tlsServer(trusted, received),
    code: "DEPTH_ZERO_SELF_SIGNED_CERT"
  },
  {
    name: "a certificate of tomorrow",
    server: (received) => tlsServer(tomorrows, received),
    code: "CERT_NOT_YET_VALID"
  },
  { name: "an expired certificate", server: (received) => tlsServer(yesterdays, received), code: "CERT_HAS_EXPIRED" },
  {
    name: "a certificate for another host",
    server: (received) => tlsServer(others, received),
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
    ca: others.cert
  },
  {
    name: "a version of TLS that is too old",
    server: (received) => tlsServer({ ...trusted, ...old }, received),
    code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"
  },
  {
    name: "plain HTTP on a port of TLS",
    server: () => plainServer("HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"),
    code: "ERR_SSL_WRONG_VERSION_NUMBER"
  },
  { name: "a server that hangs up in the handshake", server: () => plainServer(), code: "ECONNRESET" }
]

describe("a token request that cannot connect", () => {
  it.effect.each(
    cases.flatMap((one) => (one.ca === undefined ? everyClient : withTrust).map((client) => ({ ...one, client })))
  )("$name, over $client: nothing was sent, and the code says why", ({ ca, client, code, server }) =>
    Effect.gen(function* () {
      const received: Array<string> = []
      const port = yield* listen(server(received))
      const outcome = yield* outcomeAt(port, clients[client](ca === undefined ? {} : { ca }))
      expect(outcome).toEqual({ _tag: "NotSent", code })
      expect(received).toEqual([])
    })
  )

  it.effect.each(everyClient)("a refused port, over %s", (client) =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(listen(plainServer()))
      expect(yield* outcomeAt(port, clients[client]({}), "127.0.0.1")).toEqual({
        _tag: "NotSent",
        code: "ECONNREFUSED"
      })
    })
  )

  it.effect.each(withTrust)("two addresses that both fail, over %s", (client) =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(listen(plainServer()))
      const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }))
      const lookup: LookupFunction = (_host, _options, answer) => answer(null, addresses)
      const outcome = yield* outcomeAt(port, clients[client]({ lookup }), "zapier.example")
      expect(outcome).toEqual({ _tag: "NotSent", code: "ECONNREFUSED" })
    })
  )

  it.effect.each(withTrust)(
    "a connection that breaks after the request leaves the outcome unknown, over %s",
    (client) =>
      Effect.gen(function* () {
        const received: Array<string> = []
        const port = yield* listen(tlsServer(trusted, received))
        expect(yield* outcomeAt(port, clients[client]({ ca: trusted.cert }))).toEqual({ _tag: "NoResponse" })
        expect(received.length).toBeGreaterThan(0)
      })
  )

  it.effect("a server that wants a certificate in TLS 1.3 says so too late to be certain", () =>
    Effect.gen(function* () {
      const port = yield* listen(tlsServer({ ...trusted, requestCert: true, minVersion: "TLSv1.3" }, []))
      expect(yield* outcomeAt(port, clients.undici({ ca: trusted.cert }))).toEqual({ _tag: "NoResponse" })
    })
  )
})
