import { assert, describe, it } from "@effect/vitest"
import * as HashMap from "effect/HashMap"
import * as FakeState from "../../src/fake/FakeState.ts"
import * as Flow from "../utils/flow.ts"

const second = 1_000
const hour = 3_600 * second

const sizes = ({ appTokens, codes, grants }: FakeState.FakeState) => ({
  codes: HashMap.size(codes),
  grants: HashMap.size(grants),
  appTokens: HashMap.size(appTokens)
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

describe("the remembered tokens and codes", () => {
  it("is no more for a grant that was refreshed often", () => {
    const fake = Flow.make()
    let { refresh_token } = fake.connect()
    for (let i = 0; i < 2_000; i++) refresh_token = fake.refresh(refresh_token).json.refresh_token
    assert.deepStrictEqual(sizes(fake.state), { codes: 0, grants: 1, appTokens: 0 })
    const [grant] = HashMap.values(fake.state.grants)
    assert.deepInclude(grant, { refreshToken: refresh_token, serial: 2_001, rotations: [] })
    assert.lengthOf(grant?.accessTokens ?? [], 1)
  })

  it("is what is in its grace period of refresh tokens that were used", () => {
    const fake = Flow.make({ settings: { graceMillis: 10 * second } })
    let { refresh_token } = fake.connect()
    const used: Array<string> = []
    for (let i = 0; i < 100; i++) {
      used.push(refresh_token)
      refresh_token = fake.refresh(refresh_token).json.refresh_token
      fake.now += second
    }
    const [grant] = HashMap.values(fake.state.grants)
    assert.deepStrictEqual(
      grant?.rotations.map(({ refreshToken }) => refreshToken),
      used.slice(-10)
    )
  })

  it("leaves a grant alone when a refresh token comes that a state from before it was given cannot know", () => {
    const fake = Flow.make()
    const first = fake.connect()
    const { state } = fake
    const second = fake.refresh(first.refresh_token).json
    fake.state = state
    assert.strictEqual(fake.refresh(second.refresh_token).status, 400)
    assert.strictEqual(fake.refresh(first.refresh_token).status, 200)
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
    const fake = Flow.make({ settings: { refreshEndsAccessToken: false } })
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
    const { appTokens, codes, grants } = sizes(fake.state)
    assert.strictEqual(grants, 0)
    assert.strictEqual(codes, 0)
    // Of 11 hours there are 660; at most twice as much is kept.
    assert.isBelow(appTokens, 1_400)
  })

  it("does not grow with codes that were never exchanged", () => {
    const fake = Flow.make()
    for (let i = 0; i < 5_000; i++) {
      fake.now += 10 * second
      fake.code()
    }
    // Of an hour and two minutes there are 372; nothing is forgotten before there are 1,024.
    assert.isBelow(sizes(fake.state).codes, 1_025)
  })

  it("has what expired less than an hour ago", () => {
    const fake = Flow.make()
    const code = fake.code()
    const { access_token } = fake.exchange(code).json
    fake.code()
    fake.now = hour
    for (let i = 0; i < 2_000; i++) fake.appToken("zap")
    assert.strictEqual(sizes(fake.state).codes, 1)
    fake.exchange(code)
    assert.strictEqual(fake.api("GET", "/v2/zaps", access_token).status, 401)
  })
})
