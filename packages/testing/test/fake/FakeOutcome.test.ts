import { assert, describe, it } from "@effect/vitest"
import type { Issued } from "../../src/fake/FakeOutcome.ts"
import * as FakeOutcome from "../../src/fake/FakeOutcome.ts"

const answer = (
  name: string,
  origin: Issued["origin"],
  refreshToken: string | undefined = `${name}-refresh`
): Issued => ({
  clientId: "id",
  grantId: 1,
  origin,
  accessToken: `${name}-access`,
  refreshToken,
  at: 0
})

const refreshed = (name: string, refreshToken: string, own?: string) =>
  answer(name, { _tag: "RefreshToken", refreshToken }, own)

const code = answer("a", { _tag: "Code", code: "code" })

describe("FakeOutcome.tokenFamily", () => {
  it("goes back from either token to the code, the oldest first", () => {
    const [b, other, c] = [refreshed("b", "a-refresh"), refreshed("x", "y-refresh"), refreshed("c", "b-refresh")]
    const issued = [code, b, other, c]
    assert.deepStrictEqual(FakeOutcome.tokenFamily(issued, "c-access"), [code, b, c])
    assert.deepStrictEqual(FakeOutcome.tokenFamily(issued, "c-refresh"), [code, b, c])
    assert.deepStrictEqual(FakeOutcome.tokenFamily(issued, "b-access"), [code, b])
  })

  it("goes back to the code from tokens of a server that does not rotate", () => {
    const b: Issued = { ...refreshed("b", "a-refresh"), refreshToken: undefined }
    const c: Issued = { ...refreshed("c", "a-refresh"), refreshToken: undefined }
    assert.deepStrictEqual(FakeOutcome.tokenFamily([code, b, c], "c-access"), [code, c])
  })

  it("is one response for the app's own token", () => {
    const app = answer("app", { _tag: "ClientCredentials" })
    assert.deepStrictEqual(FakeOutcome.tokenFamily([code, app], "app-access"), [app])
  })

  it("begins with the log, and is empty for an unknown token", () => {
    const c = refreshed("c", "b-refresh")
    assert.deepStrictEqual(FakeOutcome.tokenFamily([c], "c-access"), [c])
    assert.deepStrictEqual(FakeOutcome.tokenFamily([code, c], "unknown"), [])
  })
})
