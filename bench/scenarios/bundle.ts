/**
 * The size of the core in a bundle, minified and gzipped: its own code alone, and with the parts of Effect that it
 * uses; compared with the smallest client that gets one token through Effect's `HttpClient`, and with other clients.
 */
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import { build } from "esbuild"
import { type Report, round, say } from "../report.ts"

export const name = "bundle"

/** Repetition is pointless: the same sources give the same bytes. */
export const calls = 1

// Slightly above the last reviewed size, so that additions are noticed.
const bounds = {
  /** All exports of the core's index, in kB of code. */
  own: 46.5,
  /** A program that uses all three modes, with the parts of Effect that it uses, in kB. */
  whole: 87
}

/** A program that uses all three modes. */
export const program = `
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
const layer = ZapierHttpClient.layer().pipe(
  Layer.provideMerge(ZapierAuth.layer()),
  Layer.provide([TokenEndpoint.layer, MemoryStores.layer]),
  Layer.provide([ClientApplication.layer({ clientId: "a", clientSecret: "b", redirectUris: ["https://a.example"] }), FetchHttpClient.layer]),
  Layer.provide([Digest.layerWebCrypto, SecureRandom.layerWebCrypto])
)
export const call = () => Effect.runPromise(Effect.provide(
  ZapierHttpClient.ZapierHttpClient.use((zapier) => zapier.call("GET /v1/apps")), layer))
`

/** A program that imports everything. */
export const barrel = `export * from "@zapier-workflow-auth/core"`

// One refresh, without state, store or second caller.
const baseline = `
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Schema from "effect/Schema"
const Tokens = Schema.Struct({ access_token: Schema.String, refresh_token: Schema.String, expires_in: Schema.Number })
export const refresh = (token) => Effect.runPromise(HttpClientRequest.post("https://zapier.com/oauth/token/").pipe(
  HttpClientRequest.basicAuth("id", "secret"),
  HttpClientRequest.bodyUrlParams({ grant_type: "refresh_token", refresh_token: token }),
  HttpClient.execute,
  Effect.flatMap(HttpClientResponse.schemaBodyJson(Tokens)),
  Effect.provide(FetchHttpClient.layer)))
`

const peers = {
  "simple-oauth2": `import { AuthorizationCode } from "simple-oauth2"
    export const refresh = (token) => new AuthorizationCode({ client: { id: "a", secret: "b" }, auth: { tokenHost: "https://zapier.com" } }).createToken(token).refresh()`,
  "openid-client": `import * as client from "openid-client"
    export const refresh = (token) => client.refreshTokenGrant(new client.Configuration({ issuer: "https://zapier.com", token_endpoint: "https://zapier.com/oauth/token/" }, "a", "b"), token)`,
  oauth4webapi: `import * as oauth from "oauth4webapi"
    const as = { issuer: "https://zapier.com", token_endpoint: "https://zapier.com/oauth/token/" }, client = { client_id: "a" }
    export const refresh = async (token) => oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, oauth.ClientSecretBasic("b"), token))`,
  arctic: `import { OAuth2Client } from "arctic"
    export const refresh = (token) => new OAuth2Client("a", "b", null).refreshAccessToken("https://zapier.com/oauth/token/", token, [])`,
  "@badgateway/oauth2-client": `import { OAuth2Client } from "@badgateway/oauth2-client"
    export const refresh = (token) => new OAuth2Client({ server: "https://zapier.com", clientId: "a", clientSecret: "b", tokenEndpoint: "/oauth/token/" }).refreshToken(token)`,
  "google-auth-library": `import { OAuth2Client } from "google-auth-library"
    export const refresh = (token) => { const client = new OAuth2Client("a", "b"); client.setCredentials(token); return client.getAccessToken() }`,
  "@azure/msal-node": `import { ConfidentialClientApplication } from "@azure/msal-node"
    export const token = () => new ConfidentialClientApplication({ auth: { clientId: "a", clientSecret: "b" } }).acquireTokenByClientCredential({ scopes: [] })`
}

interface Options {
  readonly external?: Array<string>
  /** For clients that need Node. */
  readonly platform?: "node"
}

/** The size of a program's bundle, and its contents. */
export const bundle = (contents: string, { external = [], platform }: Options = {}) =>
  Effect.promise(async () => {
    const { metafile, outputFiles } = await build({
      stdin: { contents, resolveDir: import.meta.dirname, loader: "js" },
      bundle: true,
      minify: true,
      format: "esm",
      platform: platform ?? "neutral",
      mainFields: ["module", "main"],
      target: "es2024",
      treeShaking: true,
      write: false,
      metafile: true,
      external,
      logLevel: "silent"
    })
    const outputs = Object.values(metafile.outputs)
    const inputs = outputs.flatMap((output) => Object.entries(output.inputs))
    return {
      /** In kB, minified and gzipped. */
      size: round(gzipSync(outputFiles[0]?.contents ?? "").length / 1_000, 1),
      /** The size of each module in bytes, minified. */
      modules: new Map(inputs.map(([module, { bytesInOutput }]) => [module, bytesInOutput])),
      /** Its external imports. */
      imports: new Set(outputs.flatMap(({ imports }) => imports.map(({ path }) => path)))
    }
  })

type Bundle = Effect.Success<ReturnType<typeof bundle>>

// The origin of the bytes in percent: our modules, those of a client for one request, and the rest of Effect.
const sharesOf = (whole: Bundle, baseline: Bundle) => {
  const isOurs = (module: string) => module.includes("packages/core/")
  const sum = (bytes: (module: string, bytes: number) => number) =>
    [...whole.modules].reduce((total, [module, all]) => total + bytes(module, all), 0)
  const total = sum((_, all) => all)
  const ours = sum((module, all) => (isOurs(module) ? all : 0))
  const alike = sum((module, all) => Math.min(all, baseline.modules.get(module) ?? 0))
  const percent = (bytes: number) => round((bytes / total) * 100)
  return { ours: percent(ours), alike: percent(alike), more: percent(total - ours - alike) }
}

export const run = Effect.fnUntraced(function* () {
  const own = yield* bundle(barrel, { external: ["effect/*", "effect"] })
  const whole = yield* bundle(program)
  const client = yield* bundle(baseline)
  const others = yield* Effect.forEach(Object.entries(peers), ([peer, contents]) =>
    Effect.map(bundle(contents, { platform: "node" }), ({ size }) => [peer, size] as const)
  )
  const kilobytes = { own: own.size, whole: whole.size, baseline: client.size }
  say(
    `bundle: ${own.size} kB of its own, ${whole.size} kB with Effect; a client of one request in Effect has ${client.size} kB`
  )
  return {
    scenario: name,
    passed: own.size <= bounds.own && whole.size <= bounds.whole,
    bounds,
    kilobytes,
    sharesOfWhole: sharesOf(whole, client),
    peers: Object.fromEntries(others)
  } satisfies Report
})
