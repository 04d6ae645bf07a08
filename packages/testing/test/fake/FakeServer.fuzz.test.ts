import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as FakeServer from "../../src/fake/FakeServer.ts"
import type * as FakeState from "../../src/fake/FakeState.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"
import * as Fuzz from "../utils/fuzz/fuzz.ts"
import * as HttpFuzz from "../utils/fuzz/http.ts"
import * as PureFuzz from "../utils/fuzz/pure.ts"

// How far to look is decided before there are any Effects. @effect-diagnostics processEnv:skip-file
const { FUZZ_HTTP_REQUESTS, FUZZ_REQUESTS, FUZZ_SEED } = process.env

const seed = FUZZ_SEED ?? "1"
const requests = Number(FUZZ_REQUESTS ?? 20_000)
const httpRequests = Number(FUZZ_HTTP_REQUESTS ?? 500)

// A run in which nothing came about would show nothing.
const cameAbout = ({ requests, ...counts }: Fuzz.Report, least: number) => {
  for (const [name, count] of Object.entries(counts)) assert.isAtLeast(count, requests * least, name)
}

describe("arbitrary requests", () => {
  it("to the pure machine: no exception, no 5xx, and no token that the rules forbid", () => {
    const report = PureFuzz.run({ seed, requests })
    assert.strictEqual(report.requests, requests)
    cameAbout(report, 0.015)
  })

  const layer = FakeZapier.layerServer.pipe(
    Layer.provideMerge(FakeZapier.layer({ apps: Fuzz.apps, users: Fuzz.users, settings: { rateLimits: false } })),
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
  )

  it.effect(
    "over HTTP: the same",
    () =>
      Effect.gen(function* () {
        const report = yield* HttpFuzz.run({ seed, requests: httpRequests })
        assert.strictEqual(report.requests, httpRequests)
        cameAbout(report, 0.005)
      }).pipe(Effect.provide(layer)),
    { timeout: 600_000 }
  )
})

describe("the oracle", () => {
  type Handle = typeof FakeServer.handle

  const isTokenRequest = ({ path }: Parameters<Handle>[1]) => path === "/oauth/token/"

  // The fake, with something else done to the state after a token request.
  const spoiled =
    (spoil: (after: FakeState.FakeState, before: FakeState.FakeState) => FakeState.FakeState): Handle =>
    (state, request, now) => {
      const handled = FakeServer.handle(state, request, now)
      return isTokenRequest(request) ? { ...handled, state: spoil(handled.state, state) } : handled
    }

  it.each<readonly [string, Handle]>([
    ["lets codes live for ever", (state, request) => FakeServer.handle(state, request, 0)],
    ["takes a code twice", spoiled((after, { codes }) => ({ ...after, codes }))],
    [
      "takes a refresh token twice",
      spoiled((after, before) => ({
        ...after,
        grants: HashMap.map(after.grants, (grant) =>
          Option.match(HashMap.get(before.grants, grant.id), {
            onNone: () => grant,
            onSome: ({ refreshToken, serial }) => ({ ...grant, refreshToken, serial })
          })
        )
      }))
    ],
    ["gives the same token again", spoiled((after) => ({ ...after, counter: 100 }))],
    [
      "keeps old access tokens alive",
      spoiled((after, before) => ({
        ...after,
        grants: HashMap.map(after.grants, (grant) => ({
          ...grant,
          accessTokens: [
            ...grant.accessTokens,
            ...Option.match(HashMap.get(before.grants, grant.id), {
              onNone: () => [],
              onSome: ({ accessTokens }) => accessTokens
            })
          ]
        }))
      }))
    ],
    [
      "keeps a grant when its refresh token comes again",
      (state, request, now) =>
        FakeServer.handle({ ...state, settings: { ...state.settings, reuseRevokesGrant: false } }, request, now)
    ],
    [
      "asks for no secret",
      (state, request, now) => {
        const apps = HashMap.map(state.apps, (app) => ({ ...app, clientSecret: "" }))
        const handled = FakeServer.handle(isTokenRequest(request) ? { ...state, apps } : state, request, now)
        return { ...handled, state: { ...handled.state, apps: state.apps } }
      }
    ],
    [
      "redirects to strangers",
      (state, request, now) => {
        const handled = FakeServer.handle(state, request, now)
        const { response } = handled
        if (response.status !== 400 || !request.path.includes("authorize")) return handled
        return { ...handled, response: { ...response, status: 302, headers: { location: "https://evil.example/" } } }
      }
    ],
    [
      "falls over a broken body",
      (state, request, now) => {
        if (request.body.includes(0xff)) throw new Error("fallen over")
        return FakeServer.handle(state, request, now)
      }
    ]
  ])("notices a server that %s, and says at which request", (_, handle) => {
    assert.throws(() => PureFuzz.run({ seed, requests: 20_000 }, handle), /\nseed .+, request \d+: \{"method":/)
  })
})
