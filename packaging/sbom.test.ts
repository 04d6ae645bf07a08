import { describe, expect, it } from "@effect/vitest"
import * as Production from "./production.ts"
import * as Sbom from "./sbom.ts"

const mit = [{ license: { id: "MIT" } }]

const component = (fullName: string, version = "1.0.0") => {
  const [name = "", group] = fullName.split("/").toReversed()
  const ref = `pkg:npm/${fullName}@${version}`
  return { "bom-ref": ref, ...(group === undefined ? {} : { group }), name, version, licenses: mit }
}

const root = component("@zapier-workflow-auth/node-adapter")

const installed = Object.keys(Production.expected)
  .filter((name) => name !== "@zapier-workflow-auth/node-adapter")
  .map((name) => component(name))

const production: Sbom.Sbom = {
  metadata: { component: root },
  components: installed,
  dependencies: [{ ref: root["bom-ref"], dependsOn: ["pkg:npm/undici@1.0.0"] }]
}

const everything: Sbom.Sbom = {
  ...production,
  components: [
    ...installed,
    component("jose"),
    component("jose", "2.0.0"),
    component("@acme/graph"),
    component("tests")
  ]
}

const jose = { name: "jose", version: "2.0.0" }
const graph = { name: "@acme/graph", version: "1.0.0" }
const undici = { name: "undici", version: "1.0.0" }

describe("the SBOM", () => {
  it("lists the production dependencies and the bundled packages, in their versions, and nothing else", () => {
    const bundled = [jose, graph, undici]
    const sbom = Sbom.withBundled(production, everything, bundled)
    expect(sbom.components.map((component) => component["bom-ref"])).toEqual([
      ...installed.map((component) => component["bom-ref"]),
      "pkg:npm/jose@2.0.0",
      "pkg:npm/@acme/graph@1.0.0"
    ])
    expect(sbom.components.find(({ name }) => name === "graph")?.properties).toEqual([
      { name: "cdx:npm:package:bundled", value: "true" }
    ])
    expect(sbom.dependencies[0]?.dependsOn).toEqual([
      "pkg:npm/undici@1.0.0",
      "pkg:npm/jose@2.0.0",
      "pkg:npm/@acme/graph@1.0.0"
    ])
    expect(Sbom.problemsOf(sbom, bundled)).toEqual([])
  })

  it("is incomplete without an installed package, a bundled package or a license", () => {
    const components = installed
      .filter(({ name }) => name !== "undici")
      .map((component) => (component["bom-ref"] === "pkg:npm/ws@1.0.0" ? { ...component, licenses: [] } : component))
    const sbom = Sbom.withBundled({ ...production, components }, production, [jose])
    expect(Sbom.problemsOf(sbom, [jose])).toEqual([
      "undici is installed, and missing in the SBOM",
      "jose 2.0.0 is bundled, and missing in the SBOM",
      "ws has no license in the SBOM"
    ])
  })
})
