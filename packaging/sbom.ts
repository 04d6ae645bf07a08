/** The software bill of materials of a production install, in CycloneDX, with the packages inside the bundles. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Bundled from "./bundled.ts"
import * as Production from "./production.ts"

interface Component {
  readonly "bom-ref": string
  readonly name: string
  readonly group?: string
  readonly version: string
  readonly licenses?: ReadonlyArray<unknown>
  readonly properties?: ReadonlyArray<{ readonly name: string; readonly value: string }>
}

interface Dependency {
  readonly ref: string
  readonly dependsOn?: ReadonlyArray<string>
}

/** The parts of a CycloneDX document that are read here. */
export interface Sbom {
  readonly metadata: { readonly component: Component }
  readonly components: ReadonlyArray<Component>
  readonly dependencies: ReadonlyArray<Dependency>
}

const nameOf = ({ group, name }: Component) => (group === undefined ? name : `${group}/${name}`)

const isOf =
  ({ name, version }: Bundled.Bundled) =>
  (component: Component) =>
    nameOf(component) === name && component.version === version

// The name of CycloneDX's own taxonomy.
const isBundled = { name: "cdx:npm:package:bundled", value: "true" }

/**
 * Adds the bundled packages to the production dependencies.
 *
 * @param everything the same workspace with development dependencies, which bundled packages are
 */
export const withBundled = (production: Sbom, everything: Sbom, bundled: ReadonlyArray<Bundled.Bundled>): Sbom => {
  const missing = bundled.filter((wanted) => !production.components.some(isOf(wanted)))
  const added = missing.flatMap((wanted) => {
    const component = everything.components.find(isOf(wanted))
    return component === undefined ? [] : [{ ...component, properties: [...(component.properties ?? []), isBundled] }]
  })
  const root = production.metadata.component["bom-ref"]
  const refs = added.map((component) => component["bom-ref"])
  const dependencies = production.dependencies.map((dependency) =>
    dependency.ref === root ? { ...dependency, dependsOn: [...(dependency.dependsOn ?? []), ...refs] } : dependency
  )
  return {
    ...production,
    components: [...production.components, ...added],
    dependencies: [...dependencies, ...refs.map((ref) => ({ ref, dependsOn: [] }))]
  }
}

/** The packages that have to be in it and are not, and those in it without a license. */
export const problemsOf = (sbom: Sbom, bundled: ReadonlyArray<Bundled.Bundled>): ReadonlyArray<string> => {
  const all = [sbom.metadata.component, ...sbom.components]
  const names = new Set(all.map(nameOf))
  return [
    ...Object.keys(Production.expected)
      .filter((name) => !names.has(name))
      .map((name) => `${name} is installed, and missing in the SBOM`),
    ...bundled
      .filter((wanted) => !all.some(isOf(wanted)))
      .map(({ name, version }) => `${name} ${version} is bundled, and missing in the SBOM`),
    ...sbom.components
      .filter(({ licenses = [] }) => licenses.length === 0)
      .map((component) => `${nameOf(component)} has no license in the SBOM`)
  ]
}

const askPnpm = (root: string, ...options: ReadonlyArray<string>) => {
  const arguments_ = ["--yes", "pnpm@12.21.0", "sbom", "--sbom-format", "cyclonedx", ...options]
  return JSON.parse(execFileSync("npx", arguments_, { cwd: root, encoding: "utf8", maxBuffer: 1e8 })) as Sbom
}

/** The packages in the bundles of a built workspace. The command line contains the fake. */
export const bundledIn = (root: string): ReadonlyArray<Bundled.Bundled> => {
  const { name, version } = JSON.parse(
    readFileSync(join(root, "packages/testing/package.json"), "utf8")
  ) as Bundled.Bundled
  return [{ name, version }, ...Bundled.packagesOf(join(root, "packages/node-adapter"))]
}

/** The SBOM of a built workspace, with the versions of its lockfile. */
export const make = (root: string): Sbom =>
  withBundled(
    askPnpm(root, "--prod", "--filter", "@zapier-workflow-auth/node-adapter"),
    askPnpm(root, "--filter", "@zapier-workflow-auth/*"),
    bundledIn(root)
  )
