/**
 * The size of programs in a bundle, minified and gzipped: this library's code alone, and with the parts of Effect that it
 * uses; compared with the smallest client that gets one token through Effect's `HttpClient`, and with other clients.
 */
import { gzipSync } from "node:zlib"
import * as Effect from "effect/Effect"
import { build, type Plugin } from "esbuild"
import { type Report, round, say } from "../report.ts"

export const name = "bundle"

/** Repetition is pointless: the same sources give the same bytes. */
export const calls = 1

// Slightly above the last reviewed sizes in kB, so that additions are noticed.
const bounds = {
  /** A program that uses all three modes: this library's code, and with the parts of Effect that it uses. */
  own: 34.8,
  whole: 86.2,
  /** A program that only calls, with users' grants. */
  calls: 86.1,
  /** This library's code in a program that imports the index. */
  index: 46.6
}

const imports = `
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as PromiseStores from "@zapier-workflow-auth/core/store/PromiseStores"
import * as TokenEndpoint from "@zapier-workflow-auth/core/oauth/TokenEndpoint"
import * as ZapierAuth from "@zapier-workflow-auth/core/ZapierAuth"
import * as ZapierHttpClient from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
`

const layerWith = (stores: string) => `
const layer = ZapierHttpClient.layer().pipe(
  Layer.provideMerge(ZapierAuth.layer()),
  Layer.provide([TokenEndpoint.layer, ${stores}]),
  Layer.provide([ClientApplication.layer({ clientId: "a", clientSecret: "b", redirectUris: ["https://a.example"] }), FetchHttpClient.layer]),
  Layer.provide([Digest.layerWebCrypto, SecureRandom.layerWebCrypto])
)
`

const modes = `
export const connect = Effect.map(
  ZapierAuth.ZapierAuth.use((auth) => auth.authorizationUrl({ subject: "ada", scopes: ["zap"] })),
  ({ url }) => Redacted.value(url))
export const callback = (url) => ZapierAuth.ZapierAuth.use((auth) => auth.handleCallback(url, { subject: "ada" }))
export const asUser = ZapierHttpClient.ZapierHttpClient.use((zapier) =>
  zapier.call("GET /v2/zaps", { credential: Credential.user("ada") }))
export const asApp = ZapierHttpClient.ZapierHttpClient.use((zapier) =>
  zapier.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id: "42" } }))
export const withClientId = ZapierHttpClient.ZapierHttpClient.use((zapier) => zapier.call("GET /v1/apps"))
export const run = (program) => Effect.runPromise(Effect.provide(program, layer))
`

/** The README's program: a user connects, and calls of all three modes. */
export const program = `${imports}${layerWith("MemoryStores.layer")}${modes}`

/** The same, with stores that keep records. */
const stored = `${imports}${layerWith("PromiseStores.layer(globalThis.stores)")}${modes}`

/** A program that only calls, with the grants of users who connected elsewhere. */
const calling = `${imports}${layerWith("MemoryStores.layer")}
export const zaps = (subject) => Effect.runPromise(Effect.provide(
  ZapierHttpClient.ZapierHttpClient.use((zapier) => zapier.as(Credential.user(subject)).get("/v2/zaps")), layer))
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
  /** True to leave Effect out, so that only this library's code counts. */
  readonly isAlone?: boolean
  /** For clients that need Node. */
  readonly platform?: "node"
}

// As in a whole bundle, an import that is not used leaves nothing behind.
const withoutEffect: Plugin = {
  name: "without Effect",
  setup: (build) =>
    build.onResolve({ filter: /^effect(?:\/|$)/ }, ({ path }) => ({ path, external: true, sideEffects: false }))
}

const withoutOthers: Plugin = {
  name: "without other packages",
  setup: (build) =>
    build.onResolve({ filter: /^[^./]/ }, ({ path }) =>
      path.startsWith("@zapier-workflow-auth/") ? undefined : { path, external: true }
    )
}

/** The size of a program's bundle, and its contents. */
export const bundle = (contents: string, { isAlone = false, platform }: Options = {}) =>
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
      plugins: isAlone ? [withoutEffect] : [],
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

/** The modules of this library that an import loads at once. */
export const loadedBy = (specifier: string) =>
  Effect.promise(async () => {
    const entry = "<stdin>"
    const { metafile } = await build({
      stdin: { contents: `import "${specifier}"`, resolveDir: import.meta.dirname, loader: "js" },
      bundle: true,
      format: "esm",
      platform: "node",
      write: false,
      metafile: true,
      // Otherwise an import for its effects only would load nothing.
      ignoreAnnotations: true,
      plugins: [withoutOthers]
    })
    const loaded = new Set<string>()
    const visit = (module: string): void => {
      if (loaded.has(module)) return
      loaded.add(module)
      for (const { external, kind, path } of metafile.inputs[module]?.imports ?? []) {
        if (kind === "import-statement" && external !== true) visit(path)
      }
    }
    visit(entry)
    loaded.delete(entry)
    return [...loaded]
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

// The parts of this library, by the modules that they are made of. A module belongs to the first part that matches.
const parts: ReadonlyArray<readonly [string, RegExp]> = [
  ["errors and their messages", /^(?:internal\/reasons\/|ZapierAuthError\.)/],
  ["machines", /^machine\/(?!Driver)/],
  ["driver and runtime", /^(?:machine\/Driver|internal\/(?:runtime|gate|bounded|eventHub)\.|ZapierAuth\.)/],
  ["token requests and responses, callbacks", /^(?:oauth\/|internal\/(?:sendOnce|neverSent|repetition|oauthError)\.)/],
  ["keeping credentials out of errors and spans", /^internal\/(?:withoutCredentials|ownResponse|shows|quietTracer)\./],
  ["checks of input and settings", /^(?:Settings\.|internal\/(?:callerChecks|\w+Problem)\.)/],
  ["calls and endpoints", /^(?:ZapierHttpClient\.|zapier\/|internal\/(?:target|callSpan|boundedBody)\.)/],
  ["stores", /^store\//]
]

// The bytes of each part in percent.
const partsOf = ({ modules }: Bundle) => {
  const ours = [...modules].flatMap(([module, bytes]) => {
    const [, path] = /packages\/core\/src\/(.*)/.exec(module) ?? []
    return path === undefined ? [] : [{ part: parts.find(([, of]) => of.test(path))?.[0] ?? "the rest", bytes }]
  })
  const total = ours.reduce((sum, { bytes }) => sum + bytes, 0)
  return Object.fromEntries(
    [...parts.map(([part]) => part), "the rest"].map((part) => {
      const of = ours.reduce((sum, { bytes, ...one }) => (one.part === part ? sum + bytes : sum), 0)
      return [part, round((of / total) * 100)]
    })
  )
}

export const run = Effect.fnUntraced(function* () {
  const own = yield* bundle(program, { isAlone: true })
  const whole = yield* bundle(program)
  const calls = yield* bundle(calling)
  const withStores = yield* bundle(stored)
  const index = yield* bundle(barrel, { isAlone: true })
  const client = yield* bundle(baseline)
  const others = yield* Effect.forEach(Object.entries(peers), ([peer, contents]) =>
    Effect.map(bundle(contents, { platform: "node" }), ({ size }) => [peer, size] as const)
  )
  const kilobytes = {
    own: own.size,
    whole: whole.size,
    calls: calls.size,
    stored: withStores.size,
    index: index.size,
    baseline: client.size
  }
  say(
    `bundle: ${own.size} kB of its own, ${whole.size} kB with Effect, ${calls.size} kB if it only calls; a client of one request in Effect has ${client.size} kB`
  )
  return {
    scenario: name,
    passed:
      own.size <= bounds.own && whole.size <= bounds.whole && calls.size <= bounds.calls && index.size <= bounds.index,
    bounds,
    kilobytes,
    partsOfOwn: partsOf(own),
    sharesOfWhole: sharesOf(whole, client),
    peers: Object.fromEntries(others)
  } satisfies Report
})
