import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"

const { withRepository } = (await import(join(import.meta.dirname, "../.pnpmfile.mjs"))) as {
  readonly withRepository: (manifest: object, repository: object) => object
}

const manifest = { name: "@zapier-workflow-auth/core", version: "0.1.0" }

describe("the repository in a published manifest", () => {
  it("is that of the root, with the folder of the package", () =>
    expect(withRepository(manifest, { type: "git", url: "git+https://example.com/a/b.git" })).toEqual({
      ...manifest,
      repository: { type: "git", url: "git+https://example.com/a/b.git", directory: "packages/core" }
    }))

  it("is left out until its URL is known", () =>
    expect(withRepository(manifest, { type: "git", url: "" })).toEqual(manifest))
})
