import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    // Ends what hangs. How fast a machine is decides no test.
    testTimeout: 120_000,
    include: ["packages/*/test/**/*.test.ts", "examples/**/*.test.ts", "bench/**/*.test.ts"]
  }
})
