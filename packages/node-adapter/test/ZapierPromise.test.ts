import { inspect } from "node:util"
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import type { Reason } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import { valueOf } from "./utils/valueOf.ts"

const app = {
  name: "Acme",
  clientId: "acme",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/zapier/callback"]
}

const setup = (application: Partial<typeof app> = {}) => {
  const fake = FakeZapier.make({ apps: [app] })
  const httpClient = Layer.provide(FakeZapier.layerHttpClient, Layer.succeed(FakeZapier.FakeZapier, fake))
  const zapier = ZapierPromise.fromLayer(
    ZapierNode.layerMemory({ application: { ...app, ...application }, httpClient, settings: { retryFor: 0 } })
  )
  const connect = async (subject: string) => {
    const { url } = valueOf(await zapier.authorizationUrl({ subject, scopes: ["zap", "zap:write"] }))
    return valueOf(await zapier.handleCallback(await Effect.runPromise(fake.approve(url)), { subject }))
  }
  return { fake, zapier, connect }
}

const errorOf = <A>(result: ZapierPromise.Result<A>): ZapierPromise.Failure => {
  if (result.ok) throw new Error("it succeeded")
  return result.error
}

describe("ZapierPromise", () => {
  it("connects a user, and calls for the user, the app and with the client id", async () => {
    const { connect, zapier } = setup()
    expect(await connect("ada")).toMatchObject({ _tag: "Active", scopes: ["zap", "zap:write"] })
    const zaps = valueOf(await zapier.fetch("/v2/zaps?limit=1", { subject: "ada" }))
    expect([zaps.status, await zaps.json()]).toEqual([200, expect.objectContaining({ data: expect.any(Array) })])
    expect(valueOf(await zapier.fetch("/v1/apps")).status).toBe(200)
    // An answer is an answer, whatever it says.
    expect(valueOf(await zapier.fetch("/v2/promotions/12", { method: "DELETE" })).status).toBe(404)
    expect(valueOf(await zapier.fetch("/v3/unknown", { credential: Credential.user("ada") })).status).toBe(404)
    expect(valueOf(await zapier.status("ada"))).toMatchObject({ _tag: "Active" })
    expect(valueOf(await zapier.disconnect("ada"))).toMatchObject({ wasConnected: true })
    expect(valueOf(await zapier.status("ada"))).toEqual({ _tag: "Absent", subject: "ada" })
    await zapier.close()
  })

  it("gives tokens as texts, and renews them", async () => {
    const { connect, fake, zapier } = setup()
    await connect("ada")
    const first = valueOf(await zapier.accessToken("ada"))
    expect(first).toEqual({
      accessToken: (await Effect.runPromise(fake.issued)).at(-1)?.accessToken,
      scopes: ["zap", "zap:write"],
      expiresAt: expect.any(Number)
    })
    expect(valueOf(await zapier.appToken(["promotions:write"])).scopes).toEqual(["promotions:write"])
    await Effect.runPromise(fake.endAccessToken(first.accessToken))
    expect(valueOf(await zapier.fetch("/v2/zaps", { subject: "ada" })).status).toBe(200)
    expect(valueOf(await zapier.accessToken("ada")).accessToken).not.toBe(first.accessToken)
    await zapier.close()
  })

  it("keeps the newest consents of a user, and forgets the oldest", async () => {
    const { fake, zapier } = setup()
    const urls: Array<string> = []
    for (let count = 0; count < 22; count++) {
      urls.push(valueOf(await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })).url)
    }
    const complete = async (index: number) => {
      const callback = await Effect.runPromise(fake.approve(urls.at(index) ?? ""))
      return zapier.handleCallback(callback, { subject: "ada" })
    }
    expect(errorOf(await complete(0))).toMatchObject({ _tag: "StateMismatch", why: "Unknown" })
    expect(errorOf(await complete(1))).toMatchObject({ _tag: "StateMismatch", why: "Unknown" })
    expect(valueOf(await complete(-1))).toMatchObject({ _tag: "Active" })
    await zapier.close()
  })

  it("sends a text, bytes and JSON, with headers", async () => {
    const { connect, fake, zapier } = setup()
    await connect("ada")
    const zap = { data: { title: "A Zap", steps: [] } }
    const sent = async (options: ZapierPromise.CallOptions) => {
      valueOf(await zapier.fetch("/v2/zaps", { method: "POST", subject: "ada", ...options }))
      const request = (await Effect.runPromise(fake.requests)).at(-1)?.request
      return [request?.headers["content-type"], new TextDecoder().decode(request?.body)]
    }
    expect(await sent({ json: zap })).toEqual(["application/json", JSON.stringify(zap)])
    expect(await sent({ body: "{}", headers: { "Content-Type": "application/vnd.api+json" } })).toEqual([
      "application/vnd.api+json",
      "{}"
    ])
    expect(await sent({ body: new TextEncoder().encode("é") })).toEqual(["application/octet-stream", "é"])
    await zapier.close()
  })

  it("returns what went wrong as a plain value, and throws nothing", async () => {
    const { connect, fake, zapier } = setup()
    const never = errorOf(await zapier.fetch("/v2/zaps", { subject: "ada" }))
    expect(never).toEqual({
      _tag: "ReconnectRequired",
      why: "NeverConnected",
      message: "This user is not connected to Zapier. Send the user to a new authorization URL.",
      isRetryable: false,
      needsReconnect: true,
      blames: "User",
      httpStatus: 409
    })
    expect(JSON.parse(JSON.stringify(never))).toEqual(never)
    expect(errorOf(await zapier.fetch("/v2/zaps"))).toMatchObject({ _tag: "InvalidConfig", setting: "subject" })
    await connect("ada")
    await Effect.runPromise(
      fake.setFaults([{ fault: { _tag: "RateLimited", retryAfter: 7 }, match: { endpoint: "token" } }])
    )
    expect(errorOf(await zapier.appToken(["promotions:write"]))).toMatchObject({
      _tag: "RateLimited",
      retryAfter: 7_000,
      isRetryable: true
    })
    await Effect.runPromise(fake.setFaults([{ fault: { _tag: "ResponseLost" } }]))
    expect(errorOf(await zapier.fetch("/v2/zaps", { subject: "ada" }))).toEqual({
      _tag: "CallFailed",
      message: expect.stringContaining("unknown if it was carried out"),
      isRetryable: true,
      needsReconnect: false,
      blames: "Network",
      httpStatus: 502
    })
    await zapier.close()
  })

  it("tells each call what is wrong with how it was made", async () => {
    const { zapier } = setup({ clientId: "" })
    expect(errorOf(await zapier.status("ada"))).toMatchObject({ _tag: "InvalidConfig", setting: "clientId" })
    expect(errorOf(await zapier.fetch("/v1/apps"))).toMatchObject({ _tag: "InvalidConfig", setting: "clientId" })
    await zapier.close()
  })

  it("stops waiting when it is told to, which ends nothing that others wait for", async () => {
    const { connect, fake, zapier } = setup()
    await connect("ada")
    const { accessToken } = valueOf(await zapier.accessToken("ada"))
    await Effect.runPromise(fake.endAccessToken(accessToken))
    await Effect.runPromise(
      fake.setFaults([{ fault: { _tag: "ResponseSlow", millis: 50 }, match: { grantType: "refresh_token" } }])
    )
    const stop = new AbortController()
    const impatient = zapier.fetch("/v2/zaps", { subject: "ada", signal: stop.signal })
    const patient = zapier.fetch("/v2/zaps", { subject: "ada" })
    stop.abort(new Error("enough"))
    await expect(impatient).rejects.toThrow("enough")
    expect(valueOf(await patient).status).toBe(200)
    await zapier.close()
  })

  it("tells listeners what happens, until they have heard enough, and ends what is open", async () => {
    const { connect, zapier } = setup()
    valueOf(await zapier.status("ada"))
    const heard: Array<string> = []
    const stop = zapier.subscribe((event) => {
      if (event._tag === "UserGrantChanged") heard.push(`the grant of ${event.subject} is ${event.to}`)
    })
    await connect("ada")
    await expect.poll(() => heard).toContain("the grant of ada is Active")
    stop()
    const before = heard.length
    await connect("eve")
    expect(heard.length).toBe(before)
    await using closing = zapier
    expect(closing).toBe(zapier)
  })

  it("tells listeners of a token response that is odd, and was taken", async () => {
    const fetch = async () => Response.json({ access_token: "acc3ss", scope: ["external"], expires_in: "never" })
    const application = { clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }
    const zapier = ZapierPromise.make({ application, fetch, stores: "memory" })
    const heard: Array<unknown> = []
    zapier.subscribe((event) => void heard.push(event))
    await zapier.status("ada")
    expect(valueOf(await zapier.appToken(["external"])).scopes).toEqual(["external"])
    const odd = { _tag: "OddResponseTaken", clientId: "abc", grant: "ClientCredentials", scopes: ["external"] }
    await expect.poll(() => heard).toContainEqual({ ...odd, oddities: ["expires_in", "scope"], at: expect.any(Number) })
    await zapier.close()
  })

  it("lets what is under way finish when it is closed, and then says that it was closed", async () => {
    const { connect, fake, zapier } = setup()
    await connect("ada")
    const heard: Array<string> = []
    zapier.subscribe((event) => void heard.push("event" in event ? event.event : event._tag))
    const { accessToken } = valueOf(await zapier.accessToken("ada"))
    await Effect.runPromise(fake.endAccessToken(accessToken))
    await Effect.runPromise(
      fake.setFaults([{ fault: { _tag: "ResponseSlow", millis: 50 }, match: { grantType: "refresh_token" } }])
    )
    const underWay = zapier.fetch("/v2/zaps", { subject: "ada" })
    await expect.poll(() => heard, { timeout: 60_000 }).toContain("AccessTokenRejected")
    const closing = zapier.close()
    expect(errorOf(await zapier.status("ada"))).toMatchObject({ _tag: "Closed", isRetryable: false })
    await closing
    await expect.poll(() => heard.at(-1), { timeout: 60_000 }).toBe("RefreshSucceeded")
    expect(valueOf(await underWay).status).toBe(200)
    expect(errorOf(await zapier.fetch("/v1/apps"))).toMatchObject({ _tag: "Closed", needsReconnect: false })
    zapier.subscribe(() => undefined)()
    await zapier.close()
  })

  it("gives a call a value that it closes before anything was opened", async () => {
    const zapier = ZapierPromise.make({ stores: "memory", application: ClientApplication.layerEffect(Effect.never) })
    const early = zapier.status("ada")
    await zapier.close()
    expect(errorOf(await early)._tag).toBe("Closed")
  })

  it("shows no secret of itself", () => {
    const { zapier } = setup()
    expect(inspect(zapier, { depth: 10, showHidden: true })).not.toContain("s3cret")
  })

  it("has errors that a switch goes through, with what each says", () => {
    expectTypeOf<ZapierPromise.Failure["_tag"]>().toEqualTypeOf<Reason["_tag"] | "CallFailed">()
    const told = (error: ZapierPromise.Failure): string => {
      switch (error._tag) {
        case "ReconnectRequired":
          return error.why
        case "RateLimited":
          return `${error.retryAfter / 1_000} s`
        default:
          return error.message
      }
    }
    const common = { message: "", isRetryable: true, needsReconnect: false, blames: "Zapier", httpStatus: 503 } as const
    expect(told({ _tag: "RateLimited", retryAfter: 7_000, ...common })).toBe("7 s")
  })
})
