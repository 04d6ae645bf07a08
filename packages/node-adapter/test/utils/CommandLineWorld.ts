/** A command line beside a fake Zapier that it reaches over HTTP: an app in the environment, and a folder of its own. */
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { SqlClient } from "effect/sql/SqlClient"
import { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import { type Grant, GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServer from "effect/http/HttpServer"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as EncryptionKey from "../../src/EncryptionKey.ts"
import * as SqliteClient from "../../src/stores/SqliteClient.ts"
import * as SqlStores from "../../src/stores/SqlStores.ts"
import * as CommandLine from "./CommandLine.ts"
import { freePort } from "./freePort.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "zapier-cli-"))),
  (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
)

const get = (url: string) => Effect.provide(HttpClient.get(url), NodeHttpClient.layerUndici)

/** What the browser is shown when it comes back. */
export const visit = (url: string) => Effect.flatMap(get(url), (response) => response.text)

/** The address of the consent page, in what `login` says. */
export const consentUrl = (said: string): string => / {2}(http\S+authorize\S+)/.exec(said)?.[1] ?? ""

export interface Options {
  /** A home directory, in which the database is as on a new machine. */
  readonly home?: string
  /** Variables beside those of the application. */
  readonly variables?: CommandLine.Environment
}

export const makeWith = Effect.fnUntraced(function* ({ home, variables }: Options = {}) {
  const redirectUri = `http://127.0.0.1:${yield* Effect.promise(freePort)}/callback`
  const clientId = "acme"
  const clientSecret = "s3cret-of-acme"
  const fake = FakeZapier.make({ apps: [{ name: "Acme", clientId, clientSecret, redirectUris: [redirectUri] }] })
  /** While it is closed, the token endpoint does what it is asked to, and keeps the response back. */
  const tokenResponses = yield* Latch.make(true)
  const isToken = ({ path }: { readonly path: string }) => path === "/oauth/token/"
  const served = FakeZapier.FakeZapier.of({
    ...fake,
    handle: (request) => Effect.tap(fake.handle(request), () => (isToken(request) ? tokenResponses.await : Effect.void))
  })
  const services = yield* Layer.build(
    FakeZapier.layerServer.pipe(
      Layer.provide(Layer.succeed(FakeZapier.FakeZapier, served)),
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
    )
  )
  // Before the server waits for its connections to end.
  yield* Effect.addFinalizer(() => tokenResponses.open)
  const { address } = yield* Effect.provide(HttpServer.HttpServer, services)
  const origin = HttpServer.formatAddress(address)
  const directory = home === undefined ? yield* folder : join(home, ".local/share/zapier-workflow-auth")
  const env: CommandLine.Environment = {
    ZAPIER_CLIENT_ID: clientId,
    ZAPIER_CLIENT_SECRET: clientSecret,
    ZAPIER_REDIRECT_URIS: redirectUri,
    ...(home === undefined ? { ZAPIER_DATA_DIRECTORY: directory } : { HOME: home }),
    ZAPIER_FAKE: origin,
    ...variables
  }

  /** In this process. */
  const run = (args: ReadonlyArray<string>, more: CommandLine.Environment = {}, input?: string) =>
    CommandLine.run(args, { ...env, ...more }, CommandLine.recorder(input))

  /** As a process of its own. */
  const start = (
    args: ReadonlyArray<string>,
    more: CommandLine.Environment = {},
    input?: Parameters<typeof CommandLine.start>[2]
  ) => CommandLine.start(args, { ...env, ...more }, input)

  /** A login that has said where the consent page is, and waits. */
  const beginLogin = Effect.fnUntraced(function* (args: ReadonlyArray<string> = []) {
    const recorder = CommandLine.recorder()
    const fiber = yield* Effect.forkScoped(CommandLine.run(["login", "--no-browser", ...args], env, recorder))
    while (consentUrl(recorder.lines.stderr) === "") {
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) return yield* Effect.die(new Error(`it ended: ${recorder.lines.stderr}`))
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    return { url: consentUrl(recorder.lines.stderr), ended: Fiber.join(fiber), recorder }
  })

  /** A user who has allowed access. */
  const login = Effect.fnUntraced(function* (args: ReadonlyArray<string> = []) {
    const { ended, url } = yield* beginLogin(args)
    const page = yield* visit(yield* fake.approve(url))
    return { page, ...(yield* ended) }
  })

  /** The token requests that were answered, by what they asked for. */
  const tokenRequests = Effect.map(fake.requests, (requests) =>
    requests
      .filter(({ request }) => isToken(request))
      .map(({ request }) => new URLSearchParams(new TextDecoder().decode(request.body)).get("grant_type"))
  )

  /** What is in the database. */
  const sql = Layer.fresh(SqliteClient.layerDefault({ directory, name: "fake.sqlite", create: false }))
  const query = (text: string) =>
    Effect.provide(
      SqlClient.use((client) => client.unsafe<{ readonly [column: string]: unknown }>(text)),
      sql
    )

  // Records are authenticated as a whole: only a program with the key changes them.
  const stores = Layer.suspend(() => {
    const keys = EncryptionKey.layerDefault({ directory, name: "fake.key", create: false })
    return EncryptedStores.layer.pipe(Layer.provide([SqlStores.layer, keys]), Layer.provide(sql))
  })

  const changeGrants = (change: (grant: Grant) => Grant) =>
    Effect.gen(function* () {
      const grants = yield* GrantStore
      for (const { grant, key } of (yield* grants.page({ clientId, limit: 100 })).entries) {
        yield* grants.compareAndSet(key, Option.some(grant.version), change(grant.value))
      }
    }).pipe(Effect.provide(stores))

  const past = { obtainedAt: 0, expiresAt: 1 }

  const expireGrants = changeGrants((grant) =>
    grant._tag === "Refreshing"
      ? { ...grant, tokens: { ...grant.tokens, ...past } }
      : { ...grant, tokens: { ...grant.tokens, ...past } }
  )

  const expireAppTokens = Effect.gen(function* () {
    const credentials = yield* AppCredentialStore
    for (const { scopes } of yield* query("SELECT scopes FROM zapier_app_credentials")) {
      const key = { clientId, scopes: String(scopes) }
      const found = Option.getOrThrow(yield* credentials.get(key))
      if (found.value._tag !== "Active") continue
      const expired = { ...found.value, access: { ...found.value.access, ...past } }
      yield* credentials.compareAndSet(key, Option.some(found.version), expired)
    }
  }).pipe(Effect.provide(stores))

  /** As if their time had passed. */
  const expireAccessTokens = Effect.andThen(expireGrants, expireAppTokens)

  /** As if whoever holds one had been gone for long. */
  const endLeases = changeGrants((grant) =>
    grant._tag === "Refreshing" ? { ...grant, lease: { ...grant.lease, deadline: 1 } } : grant
  )

  return {
    expireAccessTokens,
    endLeases,
    fake,
    tokenResponses,
    origin,
    directory,
    redirectUri,
    env,
    run,
    start,
    beginLogin,
    login,
    tokenRequests,
    query
  }
})

export const make = makeWith()
