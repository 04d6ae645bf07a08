import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { text } from "node:stream/consumers"
import { createGunzip } from "node:zlib"
import { afterAll, describe, expect, it } from "@effect/vitest"
import * as Audit from "./audit.ts"
import * as Bundled from "./bundled.ts"

const folder = mkdtempSync(join(tmpdir(), "audit-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const licenses = "@acme/good 1.0.0 (MIT)\n\nCopyright 2.0 (c) Acme\n\n---\n\nweak 2.3.4-rc.1 (ISC)\n\nas is\n"

const advisory = (id: number, severity: string, vulnerable_versions: string) =>
  ({ id, severity, vulnerable_versions, title: "a hole", url: "https://example.com" }) as const

/** What an audit comes to where the registry responds like this, and what the registry was asked. */
const auditedBy = async (status: number, advisories: unknown) => {
  let asked: unknown
  const server = createServer((request, response) => {
    const isBulk = request.url === "/-/npm/v1/security/advisories/bulk"
    const respond = (code: number, body: unknown) =>
      response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body))
    if (!isBulk) return void respond(404, {})
    const isZipped = request.headers["content-encoding"] === "gzip"
    void text(isZipped ? request.pipe(createGunzip()) : request).then((body) => {
      asked = JSON.parse(body)
      return respond(status, advisories)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  const options = [`--registry=http://127.0.0.1:${port}/`, `--cache=${join(folder, "cache")}`, "--fetch-retries=0"]
  const audit = await Audit.audit(Audit.projectOf(join(folder, "project"), Bundled.packagesIn(licenses)), ...options)
  server.close()
  return { audit, asked }
}

describe("the audit of what is bundled", () => {
  it("asks about each package by its version, and tells what is high or critical", async () => {
    const found = { weak: [advisory(1, "high", "<3.0.0-0")], "@acme/good": [advisory(2, "moderate", "*")] }
    expect(await auditedBy(200, found)).toEqual({
      audit: { _tag: "Reported", findings: [expect.stringMatching(/^weak .*high$/)] },
      asked: { "@acme/good": ["1.0.0"], weak: ["2.3.4-rc.1"] }
    })
  })

  it("finds nothing where nothing is known", async () =>
    expect((await auditedBy(200, {})).audit).toEqual({ _tag: "Reported", findings: [] }))

  it("takes a registry without an audit for no finding, and says why", async () =>
    expect((await auditedBy(405, {})).audit).toEqual({ _tag: "Silent", why: expect.stringContaining("405") }))
})
