import { assert, describe, it } from "@effect/vitest"
import * as HashMap from "effect/HashMap"
import * as FakeState from "../src/FakeState.ts"
import * as Flow from "./utils/flow.ts"

const second = 1_000
const hour = 3_600 * second

const sizes = ({ accessTokens, codes, grants, refreshTokens }: FakeState.FakeState) => ({
  codes: HashMap.size(codes),
  accessTokens: HashMap.size(accessTokens),
  refreshTokens: HashMap.size(refreshTokens),
  grants: HashMap.size(grants)
})

describe("draw", () => {
  it("gives texts of 30 letters and digits, each another", () => {
    let state = FakeState.make()
    const texts = new Set<string>()
    for (let i = 0; i < 10_000; i++) {
      const [text, next] = FakeState.draw(state)
      assert.match(text, /^[A-Za-z0-9]{30}$/)
      texts.add(text)
      state = next
    }
    assert.strictEqual(texts.size, 10_000)
  })

  it("gives the same for the same seed and count, and another for another", () => {
    const [a] = FakeState.draw(FakeState.make({ seed: "a" }))
    assert.strictEqual(FakeState.draw(FakeState.make({ seed: "a" }))[0], a)
    assert.notStrictEqual(FakeState.draw(FakeState.make({ seed: "b" }))[0], a)
  })

  it("takes letters from all of the alphabet alike", () => {
    let state = FakeState.make()
    const counts = new Map<string, number>()
    for (let i = 0; i < 2_000; i++) {
      const [text, next] = FakeState.draw(state, 31)
      for (const letter of text) counts.set(letter, (counts.get(letter) ?? 0) + 1)
      state = next
    }
    assert.strictEqual(counts.size, 62)
    for (const count of counts.values()) assert.closeTo(count, 1_000, 200)
  })
})

describe("what is remembered", () => {
  it("is no more for a grant that was refreshed often than its used refresh tokens", () => {
    const fake = Flow.make()
    let { refresh_token } = fake.connect()
    for (let i = 0; i < 2_000; i++) refresh_token = fake.refresh(refresh_token).json.refresh_token
    assert.deepStrictEqual(sizes(fake.state), { codes: 1, accessTokens: 1, refreshTokens: 2_001, grants: 1 })
    const [grant] = HashMap.values(fake.state.grants)
    assert.deepInclude(grant, { refreshToken: refresh_token })
    assert.lengthOf(grant?.accessTokens ?? [], 1)
  })

  it("recognizes a refresh token that was used long ago, and ends the grant", () => {
    const fake = Flow.make()
    const first = fake.connect()
    let { refresh_token } = first
    for (let i = 0; i < 3_000; i++) {
      fake.now += hour
      refresh_token = fake.refresh(refresh_token).json.refresh_token
    }
    assert.strictEqual(fake.refresh(first.refresh_token).status, 400)
    assert.deepStrictEqual(fake.refresh(refresh_token).json, { error: "invalid_grant" })
    assert.strictEqual(HashMap.size(fake.state.grants), 0)
  })

  it("drops access tokens that have expired from a grant that keeps the old ones", () => {
    const fake = Flow.make({ knobs: { refreshEndsAccessToken: false } })
    let { refresh_token } = fake.connect()
    for (let i = 0; i < 100; i++) {
      fake.now += hour
      refresh_token = fake.refresh(refresh_token).json.refresh_token
    }
    assert.lengthOf([...HashMap.values(fake.state.grants)][0]?.accessTokens ?? [], 10)
  })

  it("does not grow with flows that are over", () => {
    const fake = Flow.make()
    for (let i = 0; i < 5_000; i++) {
      fake.now += 60 * second
      const { refresh_token } = fake.connect()
      // The second use of a refresh token ends the grant.
      fake.refresh(refresh_token)
      fake.refresh(refresh_token)
      fake.appToken("zap")
    }
    const { accessTokens, codes, grants, refreshTokens } = sizes(fake.state)
    assert.strictEqual(grants, 0)
    // Of 11 hours there are 660 app tokens, and of an hour 62 codes; at most twice as much is kept.
    assert.isBelow(accessTokens + codes + refreshTokens, 2_100)
  })

  it("has what expired less than an hour ago", () => {
    const fake = Flow.make()
    const code = fake.code()
    const { access_token } = fake.exchange(code).json
    const late = fake.code()
    fake.now = hour
    for (let i = 0; i < 2_000; i++) fake.appToken("zap")
    assert.isTrue(HashMap.has(fake.state.codes, late))
    fake.exchange(code)
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 401)
  })
})
