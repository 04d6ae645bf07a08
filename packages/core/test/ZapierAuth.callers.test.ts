import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type AuthorizationOptions, ZapierAuth } from "../src/ZapierAuth.ts"
import type { ZapierAuthError } from "../src/ZapierAuthError.ts"
import * as TestZapier from "./utils/TestZapier.ts"

/** What programs without types give. */
const untyped = (value: unknown) => value as never

type Auth = ZapierAuth["Service"]

const ofSubject: ReadonlyArray<
  readonly [string, (auth: Auth, subject: string) => Effect.Effect<unknown, ZapierAuthError>]
> = [
  ["authorizationUrl", (auth, subject) => auth.authorizationUrl({ subject, scopes: ["zap"] })],
  ["handleCallback", (auth, subject) => auth.handleCallback("?code=code-1&state=x", { subject })],
  ["accessToken", (auth, subject) => auth.accessToken(subject)],
  ["accessTokenRejected", (auth, subject) => auth.accessTokenRejected(subject, untyped({}))],
  ["status", (auth, subject) => auth.status(subject)],
  ["disconnect", (auth, subject) => auth.disconnect(subject)]
]

const odd = ["", "ada\n", "\u0000", "a\u0085", "\ud800", "x".repeat(1_001), "é".repeat(501)]

const noText = [undefined, null, 42, true, {}, ["ada"], Symbol("ada"), () => "ada"]

const subjects: ReadonlyArray<unknown> = [...odd, ...noText]

const refused = (effect: Effect.Effect<unknown, ZapierAuthError>) =>
  Effect.map(Effect.flip(Effect.asVoid(effect)), ({ blames, needsReconnect, reason }) => {
    assert.deepStrictEqual([blames, needsReconnect], ["Caller", false])
    return reason._tag === "InvalidConfig" ? reason.setting : reason._tag
  })

describe("ZapierAuth: the caller's input", () => {
  it.effect.each(ofSubject)("%s rejects an empty subject", ([, call]) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const auth = yield* ZapierAuth
      for (const subject of subjects) assert.strictEqual(yield* refused(call(auth, untyped(subject))), "subject")
      assert.strictEqual(zapier.tokenRequests.length, 0)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each(["x".repeat(1_000), "é".repeat(500), "😀", "a\u200db", " "])("takes %j for a subject", (subject) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      yield* TestZapier.connect(subject)
      assert.strictEqual((yield* (yield* ZapierAuth).status(subject))._tag, "Active")
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each<readonly [unknown, string]>([
    [undefined, "scopes"],
    ["zap", "scopes"],
    [[""], "scopes"],
    [[42], "scopes"],
    [["zap zap:write"], "scopes"],
    [Array.from({ length: 300 }, (_, index) => `scope-${index}`), "scopes"]
  ])("appToken refuses the scopes %j", ([scopes, setting]) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      assert.strictEqual(yield* refused((yield* ZapierAuth).appToken(untyped(scopes))), setting)
      assert.strictEqual(zapier.tokenRequests.length, 0)
    }).pipe(Effect.provide(zapier.layer()))
  })

  it.effect.each<readonly [string, { readonly [name: string]: unknown }]>([
    ["scopes", { scopes: "zap" }],
    ["scopes", { scopes: [] }],
    ["redirectUri", { redirectUri: null }],
    ["redirectUri", { redirectUri: "https://app.example/other" }],
    ["incremental", { incremental: "yes" }],
    ["pkce", { pkce: 1 }],
    ["page", { page: "New" }],
    ["signUp", { signUp: "ada@app.example" }],
    ["signUp", { signUp: { email: 42 } }],
    ["campaign", { campaign: [] }]
  ])("authorizationUrl names %s", ([setting, changes]) => {
    const zapier = TestZapier.make()
    return Effect.gen(function* () {
      const options = { subject: "ada", scopes: ["zap"], ...changes } as AuthorizationOptions
      assert.strictEqual(yield* refused((yield* ZapierAuth).authorizationUrl(options)), setting)
    }).pipe(Effect.provide(zapier.layer()))
  })
})
