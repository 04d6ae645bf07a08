/** Known vulnerabilities of packages, by npm's own audit. */
import { execFile } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Bundled } from "./bundled.ts"

const run = promisify(execFile)

export type Audit =
  | { readonly _tag: "Reported"; readonly findings: ReadonlyArray<string> }
  | { readonly _tag: "Silent"; readonly why: string }

interface Report {
  readonly auditReportVersion?: number
  readonly message?: string
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly name: string; readonly range: string; readonly severity: string }>
  >
}

/**
 * Asks the registry about a project's locked production dependencies.
 *
 * @param options further options of npm
 */
export const audit = async (folder: string, ...options: ReadonlyArray<string>): Promise<Audit> => {
  // It exits with 1 for findings, and also if the registry does not respond.
  const { stdout } = await run("npm", ["audit", "--omit=dev", "--json", ...options], { cwd: folder }).catch(
    (error: { readonly stdout: string }) => error
  )
  const { auditReportVersion, message, vulnerabilities = {} } = JSON.parse(stdout || "{}") as Report
  if (auditReportVersion === undefined) return { _tag: "Silent", why: message ?? "the registry said nothing" }
  const grave = Object.values(vulnerabilities).filter(({ severity }) => ["high", "critical"].includes(severity))
  return { _tag: "Reported", findings: grave.map(({ name, range, severity }) => `${name} ${range}: ${severity}`) }
}

/** Makes a project of packages by their versions alone, without an install. */
export const projectOf = (folder: string, bundled: ReadonlyArray<Bundled>): string => {
  const versions = bundled.map(({ name, version }) => [name, version] as const)
  const root = { dependencies: Object.fromEntries(versions) }
  const packages = Object.fromEntries(versions.map(([name, version]) => [`node_modules/${name}`, { version }]))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, ...root }))
  writeFileSync(
    join(folder, "package-lock.json"),
    JSON.stringify({ lockfileVersion: 3, requires: true, packages: { "": root, ...packages } })
  )
  return folder
}
