/** Puts the repository's URL, which only the root's package.json has, into each package that is packed or published. */
import { readFileSync } from "node:fs"

const read = () => JSON.parse(readFileSync(new URL("package.json", import.meta.url), "utf8")).repository

/** A manifest with the repository and the package's folder in it, or as it is while the URL is empty. */
export const withRepository = (manifest, repository) =>
  repository.url === ""
    ? manifest
    : { ...manifest, repository: { ...repository, directory: `packages/${manifest.name.split("/").at(-1)}` } }

export const hooks = { beforePacking: (manifest) => withRepository(manifest, read()) }
