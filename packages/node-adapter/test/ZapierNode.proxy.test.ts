/** The facade, the layers and the command line take the proxy that the environment names, and trust what it names. */
import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer as createPlainServer, type RequestListener } from "node:http"
import { createServer } from "node:https"
import type { AddressInfo, Server } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as Layer from "effect/Layer"
import * as ZapierNode from "../src/ZapierNode.ts"
import * as Certificate from "./utils/certificate.ts"
import * as CommandLine from "./utils/CommandLine.ts"
import * as Proxy from "./utils/Proxy.ts"

const host = "zapier.test"
const certificate = Certificate.make({ host })
const program = fileURLToPath(new URL("fixtures/proxiedProcess.ts", import.meta.url))

const answer: RequestListener = (request, response) => {
  request.resume()
  response.setHeader("content-type", "application/json")
  // As Zapier does, by which the command line recognizes it.
  if (request.url === "/v1/apps") response.statusCode = 401
  const isToken = request.method === "POST"
  const page = response.statusCode === 401 ? { errors: [{ status: "401" }] } : { data: [] }
  response.end(JSON.stringify(isToken ? { access_token: "t0ken", token_type: "Bearer" } : page))
}

let folder = ""
let ca = ""
let secure: Server
let plain: Server
const proxies: Array<Proxy.Proxy> = []

const portOf = (server: Server) => (server.address() as AddressInfo).port

const proxy = async (refuse?: number) => {
  const started = await Proxy.start(refuse)
  proxies.push(started)
  return { ...started, url: `http://127.0.0.1:${started.port}` }
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "zapier-proxy-"))
  ca = join(folder, "ca.pem")
  writeFileSync(ca, certificate.cert)
  secure = createServer(certificate, answer).listen(0, "127.0.0.1")
  plain = createPlainServer(answer).listen(0, "127.0.0.1")
  await Promise.all([once(secure, "listening"), once(plain, "listening")])
})

afterAll(async () => {
  await Promise.all(proxies.map(({ close }) => close()))
  secure.close()
  plain.close()
  rmSync(folder, { recursive: true })
})

const both = <A>(value: A) => ({ facade: value, layers: value })

/** What a process of its own says, with these variables and no others. */
const said = async (origin: string, env: Record<string, string>) => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, origin], { env })
  return JSON.parse(stdout) as { facade: ReadonlyArray<string>; layers: ReadonlyArray<string> }
}

describe("the proxy of the environment", () => {
  it("tunnels HTTPS for the facade and the layers, which trust what NODE_EXTRA_CA_CERTS names", async () => {
    const { asked, url } = await proxy()
    const origin = `${host}:${portOf(secure)}`
    expect(await said(`https://${origin}`, { HTTPS_PROXY: url, NODE_EXTRA_CA_CERTS: ca })).toEqual(
      both(["token", '{"data":[]}'])
    )
    expect(new Set(asked)).toEqual(new Set([`CONNECT ${origin}`]))
  })

  it("is asked by the command line, so that `doctor` sees what the app sees", async () => {
    const { asked, url } = await proxy()
    const origin = `${host}:${portOf(secure)}`
    const env = {
      https_proxy: url,
      HOME: folder,
      ZAPIER_FAKE: `https://${origin}`,
      ZAPIER_CLIENT_ID: "client-1",
      ZAPIER_CLIENT_SECRET: "s3cret",
      ZAPIER_REDIRECT_URIS: "https://acme.example/callback"
    }
    const doctor = async (env: Record<string, string>) => {
      const { stdout } = await Effect.runPromise(CommandLine.start(["doctor", "--json"], env).ended)
      return stdout
        .trimEnd()
        .split("\n")
        .map((line): unknown => JSON.parse(line))
    }
    const trusting = await doctor({ ...env, NODE_EXTRA_CA_CERTS: ca })
    for (const check of ["server", "client secret"]) {
      expect(trusting).toContainEqual(expect.objectContaining({ check, result: "ok" }))
    }
    expect(new Set(asked)).toEqual(new Set([`CONNECT ${origin}`]))
    expect(await doctor(env)).toContainEqual({
      check: "server",
      result: "failed",
      says: expect.stringMatching(/\(DEPTH_ZERO_SELF_SIGNED_CERT\)\..*NODE_EXTRA_CA_CERTS/)
    })
  })

  it("is that of HTTP_PROXY where HTTPS has none of its own", async () => {
    const { asked, url } = await proxy()
    const origin = `${host}:${portOf(secure)}`
    expect(await said(`https://${origin}`, { HTTP_PROXY: url, NODE_EXTRA_CA_CERTS: ca })).toEqual(
      both(["token", '{"data":[]}'])
    )
    expect(new Set(asked)).toEqual(new Set([`CONNECT ${origin}`]))
  })

  it("is left out for the hosts of NO_PROXY", async () => {
    const { asked, url } = await proxy()
    const { facade, layers } = await said(`https://${host}:${portOf(secure)}`, { HTTPS_PROXY: url, NO_PROXY: host })
    // Nobody knows the name but the proxy.
    for (const [token] of [facade, layers]) expect(token).toMatch(/\((?:ENOTFOUND|EAI_AGAIN)\)/)
    expect(asked).toEqual([])
  })

  it("is left out for this machine", async () => {
    const { asked, url } = await proxy()
    for (const name of ["127.0.0.1", "localhost"]) {
      expect(await said(`http://${name}:${portOf(plain)}`, { HTTP_PROXY: url, HTTPS_PROXY: url })).toEqual(
        both(["token", '{"data":[]}'])
      )
    }
    expect(asked).toEqual([])
  })

  it.each([
    [407, "The proxy requires credentials"],
    [502, "The proxy refused the connection"]
  ])("that refuses with %i is named", async (status, hint) => {
    const { url } = await proxy(status)
    const { facade, layers } = await said(`https://${host}:${portOf(secure)}`, { HTTPS_PROXY: url })
    for (const [token] of [facade, layers]) {
      expect(token).toContain(`(PROXY_${status})`)
      expect(token).toContain(hint)
    }
  })

  it("whose certificate nobody trusts is named, with what to do", async () => {
    const { url } = await proxy()
    const { facade, layers } = await said(`https://${host}:${portOf(secure)}`, { HTTPS_PROXY: url })
    for (const [token] of [facade, layers]) expect(token).toContain("NODE_EXTRA_CA_CERTS")
  })

  it.effect("that is no URL is refused, and not repeated", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(ZapierNode.layerHttpClient)))
      expect(error.message).toContain("HTTPS_PROXY")
      expect(error.message).not.toContain("pa55word")
    }).pipe(
      Effect.provideService(
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromEnv({ env: { HTTPS_PROXY: "user:pa55word@proxy.example:3128" } })
      )
    )
  )
})
