import { availableParallelism } from "node:os"
import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    // Ends what hangs. How fast a machine is decides no test.
    testTimeout: 120_000,
    // Vitest leaves one processor idle: of two that is half of the machine.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    include: ["packages/*/test/**/*.test.ts", "examples/**/*.test.ts", "bench/**/*.test.ts"]
  }
})
