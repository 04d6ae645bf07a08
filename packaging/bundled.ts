/** The packages whose code is part of the published bundles, as the lists of their licenses say. */
import { readFileSync } from "node:fs"
import { join } from "node:path"

export interface Bundled {
  readonly name: string
  readonly version: string
}

/** The packages in the text of a list. */
export const packagesIn = (licenses: string): ReadonlyArray<Bundled> =>
  [...licenses.matchAll(/^(\S+) (\d+\.\d+\.\d+\S*) \(.*\)$/gm)].map(([, name = "", version = ""]) => ({
    name,
    version
  }))

/** The packages in all bundles of `@zapier-workflow-auth/node-adapter`, in its folder or an installed one. */
export const packagesOf = (nodeAdapter: string): ReadonlyArray<Bundled> => {
  const found = ["command", "bundled", "internal"].flatMap((bundle) =>
    packagesIn(readFileSync(join(nodeAdapter, "dist", bundle, "LICENSES.txt"), "utf8"))
  )
  return [...new Map(found.map((one) => [`${one.name}@${one.version}`, one])).values()]
}
