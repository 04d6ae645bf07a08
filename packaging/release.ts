/**
 * `npm run release:dry`: makes a release in a copy of the working tree, up to the point where it would be published, and
 * prints what would be. The tarballs and the SBOM are in the folder `release`, which git ignores; nothing else changes.
 * Exits with 1 if something is wrong.
 */
import { execFileSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, dirname, join } from "node:path"
import * as Sbom from "./sbom.ts"
import * as Tarballs from "./tarballs.ts"

const root = join(import.meta.dirname, "..")

const release = join(root, "release")

const pnpm = "pnpm@12.21.0"

const say = (text: string) => void process.stdout.write(`${text}\n`)

/** Runs a command and returns what it prints, which is shown only when the command fails. */
const run = (cwd: string, command: string, ...args: ReadonlyArray<string>): string => {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1e8, stdio: ["ignore", "pipe", "pipe"] })
  } catch (error) {
    const { stderr, stdout } = error as { readonly stderr: string; readonly stdout: string }
    throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error })
  }
}

const copyTo = (folder: string) => {
  const files = run(root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
  for (const file of new Set(files)) {
    // A deleted file is still in git's index.
    if (file === "" || !existsSync(join(root, file))) continue
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(root, file), join(folder, file))
  }
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly repository?: { readonly url: string }
}

const manifestIn = (folder: string) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest

interface Published extends Manifest {
  readonly size: number
  readonly unpackedSize: number
  readonly entryCount: number
  readonly files: ReadonlyArray<{ readonly path: string }>
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`

/** The files at the top, and the number of files in each folder. */
const contentsOf = (files: Published["files"]) => {
  const tops = Object.groupBy(files, ({ path }) => path.split("/")[0] ?? path)
  return Object.entries(tops).map(([top, inside = []]) =>
    inside[0]?.path === top ? top : `${top} (${inside.length} files)`
  )
}

const isVerbose = process.argv.includes("--files")

const problems: Array<string> = []

const copy = mkdtempSync(join(tmpdir(), "release-"))
try {
  say("Copying the working tree, and installing what it needs")
  copyTo(copy)
  run(copy, "npx", "--yes", pnpm, "install", "--frozen-lockfile", "--prefer-offline")
  say("Writing versions and changelogs (changeset version)")
  run(copy, "npx", "--yes", "--package", pnpm, "--", "changeset", "version")
  say("Building")
  run(copy, "npm", "run", "--silent", "build")
  say("Packing, and checking the tarballs (publint, attw)")
  rmSync(release, { recursive: true, force: true })
  mkdirSync(release)
  const tarballs = Tarballs.pack(release, copy)
  for (const tarball of tarballs) {
    problems.push(...(await Tarballs.problemsOf(tarball)).map((problem) => `${tarball.name}: ${problem}`))
  }
  say("Writing the SBOM of a production install (CycloneDX)")
  const sbom = Sbom.make(copy)
  problems.push(...Sbom.problemsOf(sbom, Sbom.bundledIn(copy)))
  writeFileSync(join(release, "sbom.cdx.json"), `${JSON.stringify(sbom, undefined, 2)}\n`)
  say("Publishing, up to the upload (pnpm publish --dry-run)")
  for (const { name, path } of tarballs) {
    const folder = join(copy, "packages", name)
    const args = ["publish", "--dry-run", "--no-git-checks", "--json", "--access", "public"]
    const published = JSON.parse(run(folder, "npx", "--yes", pnpm, ...args)) as Published
    const changelog = readFileSync(join(folder, "CHANGELOG.md"), "utf8")
    say(`\n${published.name} ${published.version}`)
    say(`  release/${basename(path)}: ${megabytes(statSync(path).size)}; ${published.entryCount} files, unpacked`)
    say(`  ${megabytes(published.unpackedSize)}: ${contentsOf(published.files).join(", ")}`)
    if (isVerbose) for (const file of published.files) say(`    ${file.path}`)
    if (!changelog.includes(`\n## ${published.version}\n`))
      problems.push(`${name}: the changelog lacks ${published.version}`)
  }
  say(`\nrelease/sbom.cdx.json: ${sbom.components.length} components of ${sbom.metadata.component.name}`)
} catch (error) {
  problems.push(error instanceof Error ? error.message : String(error))
} finally {
  rmSync(copy, { recursive: true, force: true })
}

say("\nMissing before it can be published:")
if (manifestIn(root).repository?.url === "")
  say("  the repository: set repository.url in package.json, such as git+https://HOST/OWNER/NAME.git")
say("  provenance: publish with --provenance from a CI that npm trusts, which needs the repository")
say("  the rights to publish to the scope @zapier-workflow-auth on npm")

for (const problem of problems) say(`FAILED  ${problem}`)
process.exitCode = problems.length === 0 ? 0 : 1
