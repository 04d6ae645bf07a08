/** White Label without Effect, against the fake, which checks each claim and the signature by the published keys. */
import { generateKeyPairSync } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import { valueOf } from "./utils/valueOf.ts"

const issuer = "https://acme.example"

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString()

const app = {
  name: "Acme",
  clientId: "partner-1",
  clientSecret: "s3cret",
  redirectUris: [`${issuer}/zapier/callback`]
}

const ada = { subject: "ada", tenant: "acme" }

const make = (options: ZapierPromise.Options = {}) => {
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k-1", alg: "ES256", use: "sig" }
  const fake = FakeZapierPromise.make({
    apps: [{ ...app, whiteLabel: { issuer, jwks: { keys: [jwk as never] } } }]
  })
  const client = (more: ZapierPromise.Options = {}) =>
    ZapierPromise.make({
      application: app,
      stores: "memory",
      fetch: fake.fetch,
      retry: false,
      whiteLabel: { issuer, key, keyId: "k-1", algorithm: "ES256" },
      ...options,
      ...more
    })
  const exchanges = async () =>
    (await fake.requests()).filter(({ request }) => request.path.startsWith("/oauth/token")).length
  return { fake, client, exchanges }
}

describe("ZapierPromise and White Label", () => {
  it("calls for a user of a tenant, typed and not", async () => {
    const { client, exchanges } = make()
    await using zapier = client()
    expect(valueOf(await zapier.zaps.list(ada)).data).toEqual([])
    expect(valueOf(await zapier.zaps.list({ credential: Credential.whiteLabel("ada", "acme") })).data).toEqual([])
    expect(valueOf(await zapier.fetch("/v2/zaps", ada)).status).toBe(200)
    expect(await exchanges()).toBe(1)
  })

  it("serves 1,000 calls for one user at once by one exchange, and none fails", async () => {
    const { client, exchanges } = make()
    await using zapier = client()
    const results = await Promise.all(Array.from({ length: 1_000 }, () => zapier.fetch("/v2/actions?app=x", ada)))
    expect(results.filter(({ ok }) => !ok)).toEqual([])
    expect(await exchanges()).toBe(1)
  })

  it("serves eight clients over one database by one exchange, and none fails", async () => {
    const { client, exchanges } = make()
    const directory = await mkdtemp(join(tmpdir(), "white-label-"))
    const clients = Array.from({ length: 8 }, () => client({ stores: { directory } }))
    try {
      const results = await Promise.all(
        clients.flatMap((zapier) => Array.from({ length: 25 }, () => zapier.whiteLabel.accessToken(ada)))
      )
      expect(results.filter(({ ok }) => !ok)).toEqual([])
      expect(new Set(results.map((result) => valueOf(result).accessToken)).size).toBe(1)
      expect(await exchanges()).toBe(1)
    } finally {
      await Promise.all(clients.map((zapier) => zapier.close()))
      await rm(directory, { recursive: true, force: true })
    }
  })

  it("gives connect URLs that work once, and never an access token in them", async () => {
    const { client, fake } = make()
    await using zapier = client()
    const { expiresAt, url } = valueOf(await zapier.whiteLabel.connectUrl({ ...ada, app: "SlackCLIAPI" }))
    expect(url).toMatch(/^https:\/\/connect\.zapier\.com\/to\/SlackCLIAPI\?token=/)
    // The client has the time of this machine. @effect-diagnostics-next-line globalDate:off
    expect(expiresAt - Date.now()).toBeGreaterThan(300_000)
    const { accessToken } = valueOf(await zapier.whiteLabel.accessToken(ada))
    expect(url).not.toContain(accessToken)
    expect((await fake.fetch(url)).status).toBe(200)
    expect(await (await fake.fetch(url)).text()).not.toContain("Allow")
  })

  it("heals from tokens that ended, also for a connect URL", async () => {
    const { client, fake } = make()
    await using zapier = client()
    const { accessToken } = valueOf(await zapier.whiteLabel.accessToken(ada))
    await fake.endAccessToken(accessToken)
    expect(valueOf(await zapier.whiteLabel.connectUrl({ ...ada, app: "SlackCLIAPI" })).url).toContain("token=")
    const again = valueOf(await zapier.whiteLabel.accessToken(ada))
    expect(again.accessToken).not.toBe(accessToken)
    await fake.endAccessToken(again.accessToken)
    // A token that replaced a rejected one a moment ago is not replaced again: the endpoint may be at fault.
    expect(valueOf(await zapier.fetch("/v2/zaps", ada)).status).toBe(401)
  })

  it("says what to do where it is not configured, or not as it was registered", async () => {
    const { client } = make()
    await using off = client({ whiteLabel: undefined })
    expect(await off.whiteLabel.connectUrl({ ...ada, app: "a" })).toMatchObject({
      ok: false,
      error: {
        _tag: "InvalidConfig",
        message: `whiteLabel: set the option whiteLabel, or provide WhiteLabel.layer`
      }
    })
    await using other = client({
      whiteLabel: { issuer: "https://other.example", key, keyId: "k-1", algorithm: "ES256" }
    })
    expect(await other.fetch("/v2/zaps", ada)).toMatchObject({
      ok: false,
      error: { _tag: "TokenRequestRefused", message: expect.stringContaining("issuer, audience") }
    })
    await using misspelt = client({ whiteLabel: { isuer: issuer } as never })
    expect(await misspelt.fetch("/v2/zaps", ada)).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("whiteLabel.isuer: unknown option") }
    })
  })

  it("publishes its keys for Zapier to fetch", async () => {
    const { client } = make()
    await using zapier = client()
    const keys = { current: { key, keyId: "k-1", algorithm: "ES256" as const } }
    const response = valueOf(await zapier.whiteLabel.jwks(keys, new Request(`${issuer}/jwks`)))
    const { x, y } = publicKey.export({ format: "jwk" })
    expect(await response.json()).toEqual({
      keys: [{ kty: "EC", crv: "P-256", x, y, kid: "k-1", alg: "ES256", use: "sig" }]
    })
  })
})
