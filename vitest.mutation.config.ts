import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

class ShortestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>) {
    return (await super.sort(files)).toReversed()
  }
}

// @effect-diagnostics-next-line processEnv:off
const tests = process.env["MUTATION_TESTS"] ?? "packages/*/test/**/*.test.ts"

/** Runs tests in the copy of the project in which `npm run mutation` changes the sources. */
export default defineConfig({
  resolve: {
    // The links in node_modules lead to the original.
    alias: [
      {
        find: /^@zapier-workflow-auth\/(core|node-adapter|testing)\/(.+)$/,
        replacement: fileURLToPath(new URL("packages/$1/src/$2.ts", import.meta.url))
      },
      {
        find: /^@zapier-workflow-auth\/(core|node-adapter|testing)$/,
        replacement: fileURLToPath(new URL("packages/$1/src/index.ts", import.meta.url))
      }
    ]
  },
  test: {
    sequence: { sequencer: ShortestFirst },
    // Stryker ends what hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    isolate: false,
    include: tests.split(" ")
  }
})
