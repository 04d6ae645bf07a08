/** `npm run tarballs`, which builds first: packs the packages as for publishing, into the folder `tarballs`. */
import { mkdirSync, rmSync } from "node:fs"
import { join, relative } from "node:path"
import * as Tarballs from "./tarballs.ts"

const root = join(import.meta.dirname, "..")

rmSync(Tarballs.folder, { recursive: true, force: true })
mkdirSync(Tarballs.folder)
for (const { path } of Tarballs.pack(Tarballs.folder)) process.stdout.write(`${relative(root, path)}\n`)
