import { defineConfig } from "vitest/config"

/** The tests of what is mutated: those of the pure parts of the core. */
export default defineConfig({
  test: {
    isolate: false,
    include: [
      "packages/core/test/machine/*.test.ts",
      "packages/core/test/oauth/{AuthorizationCallback,AuthorizationUrl,TokenRequest,TokenOutcome,TokenFailure,Tokens}.test.ts",
      "packages/core/test/internal/oauthError.test.ts"
    ]
  }
})
