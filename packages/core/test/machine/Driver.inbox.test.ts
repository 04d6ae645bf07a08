import { describe, expect, it } from "@effect/vitest"
import * as Driver from "../../src/machine/Driver.ts"
import type * as DriverState from "../../src/machine/DriverState.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import * as UserGrantDriver from "../../src/machine/UserGrantDriver.ts"
import type { TokenOutcome } from "../../src/oauth/TokenOutcome.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"

const responseTimeout = 3_000

const driver = Driver.make(UserGrantDriver.driven({ responseTimeout, expiryMargin: 0 }), {
  owner: "this process",
  requestTimeout: 60_000,
  responseTimeout,
  storeTimeout: 10_000,
  rejectionInterval: 30_000,
  memoryLifetime: 60_000
})

type Input = DriverState.Input<UserGrant.State, UserGrant.Event, TokenOutcome>

const tokens = (name: string, expiresAt: number): Tokens.Tokens => ({
  accessToken: Tokens.secret(`access-${name}`),
  refreshToken: Tokens.secret(`refresh-${name}`),
  scopes: ["zap"],
  obtainedAt: 0,
  expiresAt
})

/** A driver with a request open for a caller, and a look at the record under way: what its operations are named. */
const polling = () => {
  let now = { wall: 1_000, elapsed: 1_000 }
  let state: Parameters<typeof driver.step>[0] = driver.initial
  const give = (input: Input) => {
    const stepped = driver.step(state, input, now)
    state = stepped.state
    return stepped.outputs
  }
  const operation = (outputs: ReturnType<typeof give>, tag: "Load" | "Save" | "Send") => {
    const found = outputs.find((output) => output._tag === tag)
    if (found === undefined || !("id" in found)) throw new Error(`no ${tag}`)
    return found
  }
  const wake = (after: number) => {
    now = { wall: now.wall + after, elapsed: now.elapsed + after }
    return give({ _tag: "Woken" })
  }
  const load = operation(give({ _tag: "Asked", caller: 0 }), "Load")
  const expired = UserGrant.granted("consent-1", tokens("1", 500))
  const claim = operation(give({ _tag: "Loaded", id: load.id, state: expired, version: 1 }), "Save")
  if (claim._tag !== "Save") throw new Error("no claim")
  const request = operation(give({ _tag: "Saved", id: claim.id }), "Send")
  const look = operation(wake(1_000), "Load")
  const record = () => give({ _tag: "Loaded", id: look.id, state: claim.state, version: 2 })
  return { give, wake, record, claimed: claim.state, request: request.id }
}

const tags = (outputs: ReadonlyArray<{ readonly _tag: string }>) => outputs.map(({ _tag }) => _tag)

describe("A look at the record that was under way when the request ended", () => {
  it("does not hide the response: it is stored, and the token is not sent again", () => {
    const { claimed, give, record, request } = polling()
    const outcome: TokenOutcome = { _tag: "Granted", tokens: tokens("2", 36_000_000) }
    expect(give({ _tag: "Responded", id: request, outcome })).toEqual([])
    const [load, ...others] = record()
    expect([load?._tag, others]).toEqual(["Load", []])
    const id = load !== undefined && "id" in load ? load.id : -1
    expect(give({ _tag: "Loaded", id, state: claimed, version: 2 })).toMatchObject([
      { _tag: "Save", state: { _tag: "Active", generation: 2 } }
    ])
  })

  it("does not hide the silence: the token is not sent again at once", () => {
    const { record, wake } = polling()
    wake(responseTimeout)
    expect(tags(wake(250))).toEqual(["Abandon"])
    expect(tags(record())).toEqual(["Load"])
  })
})
