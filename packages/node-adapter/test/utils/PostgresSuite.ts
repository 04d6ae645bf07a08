/** Tests with a Postgres of their own. Where none can be had, they are skipped, and say why. */
import { afterAll, beforeAll, describe, it } from "@effect/vitest"
import * as EmbeddedPostgres from "./EmbeddedPostgres.ts"

const embedded = await EmbeddedPostgres.load()

// No test cuts the power.
const hasty = ["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]

/**
 * @param tests is given the server, which is there once the tests run
 */
export const describeWithPostgres = (name: string, tests: (server: () => EmbeddedPostgres.Server) => void) => {
  if (typeof embedded === "string") {
    // Vitest shows no names of what is skipped.
    process.stderr.write(`${name}: skipped, because ${embedded}\n`)
    describe.skip(`${name}: skipped, because ${embedded}`, () => {
      it("needs a Postgres", () => undefined)
    })
    return
  }
  describe(name, () => {
    let server: Awaited<ReturnType<typeof EmbeddedPostgres.launch>>
    beforeAll(async () => {
      server = await EmbeddedPostgres.launch(embedded, hasty)
    })
    afterAll(() => server.end())
    tests(() => server)
  })
}
