import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

// Workers, and the many programs that tests start, load the same modules: what one has compiled the others need not.
// @effect-diagnostics-next-line processEnv:off
process.env["NODE_COMPILE_CACHE"] ??= fileURLToPath(new URL("node_modules/.cache/compiled", import.meta.url))

// Begun last, one of these would keep a worker when all others have nothing left to do.
const takesLong = /\/bench\/|\.(?:browser|integration)\.test\.ts$/

class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    const sorted = await super.sort(files)
    const isLong = ({ moduleId }: TestSpecification) => takesLong.test(moduleId)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}

// Ends what hangs. The longest test takes seconds on an idle machine, and has to pass on one that is a hundred times slower.
const patience = 600_000

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    testTimeout: patience,
    hookTimeout: patience,
    teardownTimeout: patience,
    expect: { poll: { timeout: patience } },
    // To load effect takes longer than most files of tests: a worker loads it once. No test changes what others share.
    isolate: false,
    // Vitest leaves one processor idle: of two that is half of the machine.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    include: [
      "packages/*/test/**/*.test.ts",
      "examples/**/*.test.ts",
      "bench/**/*.test.ts",
      "packaging/*.test.ts",
      "scripts/*.test.ts",
      "website/*.test.ts"
    ]
  }
})
