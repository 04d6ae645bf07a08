/** Options and variables of a client: where grants and keys are, and what is refused by which name. */
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import { describeWithPostgres } from "./utils/PostgresSuite.ts"
import { describeWithRedis } from "./utils/RedisSuite.ts"

const app = {
  name: "Acme",
  clientId: "acme",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/zapier/callback"]
}

const keyOf = () => randomBytes(32).toString("base64")

const untyped = (value: unknown) => value as never

let folder = ""
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "zapier-options-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** What a client reads of the environment, it reads when it is made. */
const inEnvironment = (env: Readonly<Record<string, string>>, options: ZapierPromise.Options = {}) => {
  // Tests share it: it is as it was before anything else runs. @effect-diagnostics processEnv:off
  const before = process.env
  process.env = env
  try {
    return ZapierPromise.make(options)
  } finally {
    process.env = before
  }
}

/** Connects Ada by one client; another one of the same place finds her. */
const keeps = async (make: (options: ZapierPromise.Options) => ZapierPromise.ZapierPromise) => {
  const fake = FakeZapierPromise.make({ apps: [app] })
  const first = make({ application: app, fetch: fake.fetch })
  const begun = await first.authorizationUrl({ subject: "ada", scopes: ["zap"] })
  if (!begun.ok) return begun.error.message
  const connected = await first.handleCallback(await fake.approve(begun.value.url), { subject: "ada" })
  await first.close()
  if (!connected.ok) return connected.error.message
  await using second = make({ application: app, fetch: fake.fetch })
  const token = await second.accessToken("ada")
  return token.ok ? "kept" : token.error.message
}

const messageOf = async (zapier: ZapierPromise.ZapierPromise) => {
  const said = await zapier.accessToken("ada")
  await zapier.close()
  return said.ok || said.error._tag === "ReconnectRequired" ? "usable" : said.error.message
}

describe("where grants are", () => {
  it("is a folder that is named, by an option or a variable", async () => {
    const [one, other] = [join(folder, "one"), join(folder, "other")]
    expect(await keeps((options) => ZapierPromise.make({ ...options, stores: { directory: one } }))).toBe("kept")
    expect(await keeps((options) => inEnvironment({ ZAPIER_DATA_DIRECTORY: other }, options))).toBe("kept")
    for (const name of ["one/auth.sqlite", "one/auth.key", "other/auth.sqlite"]) {
      expect(existsSync(join(folder, name)), name).toBe(true)
    }
  })

  it("is where an option says, whatever the environment says", async () => {
    const env = { ZAPIER_DATABASE_URL: "postgres://localhost:1/none", ZAPIER_ENCRYPTION_KEYS: "none" }
    expect(await messageOf(inEnvironment(env, { application: app, stores: "memory" }))).toBe("usable")
  })

  it("is apart for a fake that a variable names", async () => {
    const env = { ZAPIER_FAKE: "http://127.0.0.1:1", ZAPIER_DATA_DIRECTORY: join(folder, "fake") }
    expect(await messageOf(inEnvironment(env, { application: app }))).toBe("usable")
    expect(["fake.sqlite", "fake.key", "auth.sqlite"].map((name) => existsSync(join(folder, "fake", name)))).toEqual([
      true,
      true,
      false
    ])
  })
})

describe("which keys encrypt", () => {
  const at = (name: string) => ({ directory: join(folder, name) })

  it("are those of an option: one, several, or those of a file", async () => {
    const [old, current] = [keyOf(), keyOf()]
    const made = (encryption: ZapierPromise.Encryption) => (options: ZapierPromise.Options) =>
      ZapierPromise.make({ ...options, stores: at("keys"), encryption })
    expect(await keeps(made(old))).toBe("kept")
    expect(existsSync(join(folder, "keys", "auth.key"))).toBe(false)
    const file = join(folder, "zapier.key")
    await writeFile(file, `${current}\n${old}\n`, { mode: 0o600 })
    for (const encryption of [old, [current, old], { file }]) {
      const zapier = ZapierPromise.make({ application: app, stores: at("keys"), encryption })
      expect((await zapier.status("ada")).ok).toBe(true)
      await zapier.close()
    }
    const wrong = ZapierPromise.make({ application: app, stores: at("keys"), encryption: current })
    expect(await wrong.accessToken("ada")).toMatchObject({ error: { _tag: "DecryptionFailed" } })
    await wrong.close()
  })

  it("are those of a variable", async () => {
    const file = join(folder, "other.key")
    await writeFile(file, keyOf(), { mode: 0o600 })
    for (const [name, env] of [
      ["a", { ZAPIER_ENCRYPTION_KEYS: keyOf() }],
      ["b", { ZAPIER_KEY_FILE: file }]
    ] as const) {
      const made = (options: ZapierPromise.Options) => inEnvironment(env, { ...options, stores: at(name) })
      expect(await keeps(made)).toBe("kept")
      expect(existsSync(join(folder, name, "auth.key"))).toBe(false)
    }
  })

  it("are used for stores in memory, too, where an option gives them", async () => {
    const memory = { application: app, stores: "memory" } as const
    expect(await messageOf(ZapierPromise.make({ ...memory, encryption: keyOf() }))).toBe("usable")
    const short = ZapierPromise.make({ ...memory, encryption: "c2hvcnQ=" })
    expect(await messageOf(short)).toContain("encryption: key 1 of 1 is not 32 bytes in base64")
  })
})

describe("the application", () => {
  it("is that of the environment, its secret in a variable or a file that is read again", async () => {
    const file = join(folder, "secret")
    await writeFile(file, "s3cret-of-acme\n", { mode: 0o600 })
    const env = {
      ZAPIER_CLIENT_ID: "acme",
      ZAPIER_REDIRECT_URIS: "https://acme.example/zapier/callback",
      ZAPIER_CLIENT_SECRET_FILE: file
    }
    const zapier = inEnvironment(env, { stores: "memory", connect: { scopes: ["zap"], subject: () => "ada" } })
    const begun = await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })
    expect(begun.ok && begun.value.url).toContain("client_id=acme")
    const status = await zapier.handler(new Request("https://acme.example/zapier/status"))
    expect(status?.status).toBe(200)
    await writeFile(file, "")
    expect(await zapier.appToken(["zap"])).toMatchObject({ error: { setting: "ZAPIER_CLIENT_SECRET" } })
    await zapier.close()
    const both = inEnvironment({ ...env, ZAPIER_CLIENT_SECRET: "s3cret" }, { stores: "memory" })
    expect(await messageOf(both)).toBe("ZAPIER_CLIENT_SECRET, ZAPIER_CLIENT_SECRET_FILE: set one of them, not both")
  })

  it("is read by a function, which is blamed if it fails, and not the store or Zapier", async () => {
    const application = () => Promise.reject(new RangeError("s3cret"))
    await using zapier = ZapierPromise.make({ application, stores: "memory" })
    const asked = await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })
    expect(asked).toMatchObject({ error: { _tag: "AppCodeFailed", option: "application", blames: "Caller" } })
    expect(asked.ok || asked.error.message).toBe(
      "The app's own code for application could not read the client application: it failed with RangeError. Check that code and what it calls, then try again."
    )
    // A token request that needs the application is not sent for the same reason.
    expect(await zapier.appToken(["profile"])).toMatchObject({
      error: { _tag: "AppCodeFailed", isRetryable: true }
    })
  })
})

describe("variables that contradict each other", () => {
  const url = "postgres://localhost:1/none"

  it.each([
    [
      { ZAPIER_DATABASE_URL: url, ZAPIER_DATA_DIRECTORY: "/tmp" },
      "ZAPIER_DATABASE_URL, ZAPIER_DATA_DIRECTORY: set one"
    ],
    [{ ZAPIER_DATABASE_URL: url, ZAPIER_FAKE: "http://127.0.0.1:1" }, "ZAPIER_DATABASE_URL, ZAPIER_FAKE: set one"],
    [{ ZAPIER_DATABASE_URL: url, ZAPIER_REDIS_URL: "redis://x" }, "ZAPIER_DATABASE_URL, ZAPIER_REDIS_URL: set one"],
    [{ ZAPIER_REDIS_URL: "redis://x", ZAPIER_FAKE: "http://127.0.0.1:1" }, "ZAPIER_REDIS_URL, ZAPIER_FAKE: set one"],
    [{ ZAPIER_REDIS_URL: "redis://x" }, "encryption: set it, or ZAPIER_ENCRYPTION_KEYS"],
    [{ ZAPIER_ENCRYPTION_KEYS: "a", ZAPIER_KEY_FILE: "b" }, "ZAPIER_ENCRYPTION_KEYS, ZAPIER_KEY_FILE: set one"],
    [{ ZAPIER_DATABASE_URL: url }, "encryption: set it, or ZAPIER_ENCRYPTION_KEYS"],
    [{ ZAPIER_FAKE: "http://10.0.0.1" }, "ZAPIER_FAKE: give the address of the fake"]
  ])("are refused: %j", async (env, message) => {
    expect(await messageOf(inEnvironment({ ...env }, { application: app }))).toContain(message)
  })
})

describe("an option that there is not", () => {
  it.each<readonly [object, string]>([
    [{ aplication: app }, "aplication: unknown option; the options are application,"],
    [{ aplication: app }, "Did you mean application?"],
    [{ directory: "/tmp" }, "Did you mean stores.directory?"],
    [{ scopes: ["zap"] }, "Did you mean connect.scopes?"],
    [{ clientId: "acme" }, "Did you mean application.clientId?"],
    [{ postgresUrl: "x" }, "postgresUrl: unknown option"],
    [{ application: { ...app, fetch } }, "application.fetch: unknown option; put fetch beside application"],
    [{ application: { ...app, redirectUri: "x" } }, "Did you mean application.redirectUris?"],
    [{ settings: { fetch } }, "settings.fetch: unknown option; put fetch beside settings"],
    [{ settings: { requestTimout: 5 } }, "settings.requestTimout: unknown setting"],
    [{ urls: { tokens: "x" } }, "Did you mean urls.token?"],
    [{ stores: { keys: "x" } }, "stores.keys: unknown option"],
    [{ stores: { postgre: "x" } }, "name, postgres, redis. Did you mean stores.postgres?"],
    [{ stores: { encryption: "x" } }, "stores.encryption: unknown option; put encryption beside stores"],
    [{ stores: { postgres: "x", encryptoin: "x" } }, "stores.encryptoin: unknown option"],
    [
      { stores: { directory: "/tmp", postgres: "postgres://x" } },
      "stores.postgres, stores.directory: pass only one of them"
    ],
    [{ stores: { postgres: 5 } }, "stores.postgres: give the URL of a Postgres as text"],
    [{ stores: { postgres: "" } }, "stores.postgres: give the URL of a Postgres as text"],
    [{ stores: { postgres: "mysql://x" }, encryption: keyOf() }, "stores.postgres: it must begin with postgres://"],
    [
      { stores: { redis: "redis://x", postgres: "postgres://x" } },
      "stores.postgres, stores.redis: pass only one of them"
    ],
    [{ stores: { redis: 5 } }, "stores.redis: give the URL of a Redis as text"],
    [{ stores: { redis: "http://x" }, encryption: keyOf() }, "stores.redis: "],
    [{ stores: { redis: "redis://x", create: true } }, "stores.create: unknown option; the options are ca,"],
    [{ stores: "disk" }, 'stores: pass "memory", { directory }, { postgres }'],
    [{ stores: "memory", encryption: 5 }, "encryption: give a key of 32 bytes in base64"],
    [{ stores: "memory", encryption: { path: "x" } }, "encryption.path: unknown option; the options are file"],
    [{ stores: "memory", encryption: [] }, "encryption: give at least one key"]
  ])("is refused: %o", async (options, message) => {
    expect(await messageOf(ZapierPromise.make(untyped({ application: app, ...options })))).toContain(message)
  })
})

describeWithPostgres("a client over Postgres", (server) => {
  it("keeps grants there, encrypted, by an option or a variable", async () => {
    const encryption = keyOf()
    const stores = { postgres: server().url, maxConnections: 2 }
    expect(await keeps((options) => ZapierPromise.make({ ...options, stores, encryption }))).toBe("kept")
    const env = { ZAPIER_DATABASE_URL: server().url, ZAPIER_ENCRYPTION_KEYS: encryption }
    const zapier = inEnvironment(env, { application: app })
    expect(await zapier.status("ada")).toMatchObject({ value: { _tag: "Active" } })
    await zapier.close()
  })
})

describeWithRedis("a client over Redis", (server) => {
  it("keeps grants there, encrypted, by an option or a variable", async () => {
    const encryption = keyOf()
    const stores = { redis: server().url, commandTimeout: 10_000 }
    expect(await keeps((options) => ZapierPromise.make({ ...options, stores, encryption }))).toBe("kept")
    expect(server().kept()).toContain('"seal":"zwa1.')
    const env = { ZAPIER_REDIS_URL: server().url, ZAPIER_ENCRYPTION_KEYS: encryption }
    const zapier = inEnvironment(env, { application: app })
    expect(await zapier.status("ada")).toMatchObject({ value: { _tag: "Active" } })
    await zapier.close()
  })

  it("needs keys, and says how to give them", async () => {
    const stores = { redis: server().url }
    expect(await messageOf(inEnvironment({}, { application: app, stores }))).toContain("Redis has no default key")
  })
})
