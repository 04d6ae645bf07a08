/** Tests with a Redis of their own. Where none can be had, they are skipped, and say why. */
import { afterAll, beforeAll, describe, it } from "@effect/vitest"
import * as RedisServer from "./RedisServer.ts"

const found = RedisServer.find()

/**
 * @param tests is given the server, which is there once the tests run
 */
export const describeWithRedis = (
  name: string,
  tests: (server: () => RedisServer.Server, program: { readonly program: string }) => void,
  flags?: ReadonlyArray<string>
) => {
  if (typeof found === "string") {
    // Vitest shows no names of what is skipped.
    process.stderr.write(`${name}: skipped, because ${found}\n`)
    describe.skip(`${name}: skipped, because ${found}`, () => {
      it("needs a Redis", () => undefined)
    })
    return
  }
  describe(name, () => {
    let server: RedisServer.Launched
    beforeAll(async () => {
      server = await RedisServer.launch(found, flags)
    })
    afterAll(() => server.end())
    tests(() => server, found)
  })
}
