/** Plugins of Stryker: one chooses a sample of the mutants, one shows survivors at once, because a run takes long. */
import { createHash } from "node:crypto"
import { relative } from "node:path"
import { say } from "../report.ts"

export interface Mutant {
  readonly id: string
  readonly fileName: string
  readonly mutatorName: string
  readonly replacement: string
  readonly location: unknown
}

export interface Size {
  readonly size: number
  readonly seed: number
}

/**
 * Chooses mutants by a hash. The same seed chooses the same mutants, even after changes of other files, and a larger
 * sample contains the smaller one.
 */
export const choose = (mutants: ReadonlyArray<Mutant>, { seed, size }: Size): ReadonlyArray<string> => {
  const rankOf = ({ fileName, location, mutatorName, replacement }: Mutant) =>
    createHash("sha256")
      .update(JSON.stringify([seed, relative("", fileName), location, mutatorName, replacement]))
      .digest("hex")
  return mutants
    .map((mutant) => `${rankOf(mutant)} ${mutant.id}`)
    .toSorted()
    .slice(0, size)
    .map((ranked) => ranked.split(" ")[1] ?? "")
}

// Stryker asks a checker which mutants to run. Those that do not "compile" are left out of its score.
class Sample {
  static inject = ["options"]
  readonly sample: Size
  constructor(options: { readonly sample: Size }) {
    this.sample = options.sample
  }
  init() {}
  // One group, because the sample is drawn from all mutants.
  group(mutants: ReadonlyArray<Mutant>) {
    return [mutants.map(({ id }) => id)]
  }
  check(mutants: ReadonlyArray<Mutant>) {
    const chosen = new Set(choose(mutants, this.sample))
    const resultOf = (id: string) =>
      chosen.has(id) ? { status: "passed" } : { status: "compileError", reason: "not in the sample" }
    return Object.fromEntries(mutants.map(({ id }) => [id, resultOf(id)]))
  }
}

interface Tested {
  readonly fileName: string
  readonly status: string
  readonly mutatorName: string
  readonly location: { readonly start: { readonly line: number; readonly column: number } }
}

class Survivors {
  onMutantTested({ fileName, location, mutatorName, status }: Tested) {
    if (status !== "Survived" && status !== "NoCoverage") return
    const { column, line } = location.start
    say(`Survived: ${relative("", fileName)}:${line}:${column} ${mutatorName}`)
  }
}

export const strykerPlugins = [
  { kind: "Checker", name: "sample", injectableClass: Sample },
  { kind: "Reporter", name: "survivors", injectableClass: Survivors }
]
