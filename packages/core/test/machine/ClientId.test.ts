import { describe, expect, it } from "@effect/vitest"
import * as ClientId from "../../src/machine/ClientId.ts"
import { describeTable, stepOf } from "../utils/MachineLaws.ts"

const { machine } = ClientId
const step = stepOf(machine)
const tags = ["Unconfirmed", "Accepted", "Rejected"] as const

describeTable(machine, ClientId.edges, ClientId.State, ClientId.Event)

describe("ClientId", () => {
  it.each(tags)("%s: a request gets the client id", (_tag) => {
    expect(step({ _tag }, { _tag: "RequestPrepared" }, 0).commands).toEqual([{ _tag: "AppendClientId" }])
  })

  it.each(tags)("%s: the last response decides, without a command", (_tag) => {
    expect(step({ _tag }, { _tag: "RequestAccepted" }, 0)).toEqual({ state: { _tag: "Accepted" }, commands: [] })
    expect(step({ _tag }, { _tag: "RequestRejected" }, 0)).toEqual({ state: { _tag: "Rejected" }, commands: [] })
  })

  it("tries a rejected id again, and keeps an accepted one accepted", () => {
    expect(step({ _tag: "Rejected" }, { _tag: "RequestPrepared" }, 0).state).toEqual({ _tag: "Unconfirmed" })
    expect(step({ _tag: "Accepted" }, { _tag: "RequestPrepared" }, 0).state).toEqual({ _tag: "Accepted" })
  })
})
