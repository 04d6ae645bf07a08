/** The public modules of a package, which its manifest exports by patterns. */

/** The `exports` of a manifest. A path that may not be imported is `null`. */
export type Exports = Readonly<Record<string, unknown>>

const prefix = (pattern: string) => pattern.slice(0, pattern.indexOf("*"))

const covers = (pattern: string, entry: string) =>
  pattern.includes("*") ? entry.startsWith(prefix(pattern)) : entry === pattern

/**
 * The paths that may be imported, sorted.
 *
 * @param files the files of the package, such as `dist/store/GrantStore.d.ts`
 */
export const entriesOf = (exports: Exports, files: ReadonlyArray<string>): ReadonlyArray<string> => {
  const hidden = Object.keys(exports).filter((pattern) => exports[pattern] === null)
  return files
    .flatMap((file) => {
      const name = /^dist\/(.*)\.d\.ts$/.exec(file)?.[1]
      return name === undefined ? [] : [name === "index" ? "." : `./${name}`]
    })
    .filter((entry) => !hidden.some((pattern) => covers(pattern, entry)))
    .sort()
}

/** The declarations of a public module. */
export const fileOf = (entry: string): string => `dist/${entry === "." ? "index" : entry.slice(2)}.d.ts`
