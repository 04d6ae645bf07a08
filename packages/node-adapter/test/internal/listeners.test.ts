import { describe, expect, it, vi } from "@effect/vitest"
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"
import * as Listeners from "../../src/internal/listeners.ts"

const event = (at: number): AuthEvent => ({
  _tag: "UserGrantChanged",
  clientId: "abc",
  subject: "ada",
  from: "Absent",
  event: "ConsentGranted",
  to: "Active",
  at
})

const logged = async (run: () => void | Promise<void>): Promise<string> => {
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined)
  const error = vi.spyOn(console, "error").mockImplementation(() => undefined)
  try {
    await run()
    await Promise.resolve()
    await new Promise(setImmediate)
    return JSON.stringify([log.mock.calls, error.mock.calls])
  } finally {
    log.mockRestore()
    error.mockRestore()
  }
}

describe("listeners", () => {
  it("are told the next event after one that they threw at, which is logged without its message", async () => {
    const listeners = Listeners.make()
    const heard: Array<number> = []
    listeners.add(({ at }) => {
      heard.push(at)
      if (at === 1) throw new TypeError("s3cret")
    })
    listeners.add(async ({ at }) => {
      await Promise.resolve()
      if (at === 2) throw new RangeError("s3cret")
    })
    const log = await logged(() => {
      for (const at of [1, 2, 3]) listeners.tell(event(at))
    })
    expect(heard).toEqual([1, 2, 3])
    expect(log).toContain("A listener of ZapierPromise threw TypeError at ")
    expect(log).toContain("A listener of ZapierPromise threw RangeError at ")
    expect(log).toContain("listeners.test.ts")
    expect(log).not.toContain("s3cret")
  })

  it("log what is no error by its type", async () => {
    const listeners = Listeners.make()
    listeners.add(() => Promise.reject("s3cret"))
    const log = await logged(() => listeners.tell(event(1)))
    expect(log).toContain("A listener of ZapierPromise threw string")
    expect(log).not.toContain("s3cret")
  })

  it("may end themselves and each other, and add others", () => {
    const listeners = Listeners.make()
    const heard: Array<string> = []
    const ends: Array<() => void> = []
    ends.push(
      listeners.add(({ at }) => {
        heard.push(`first ${at}`)
        for (const end of ends) end()
        listeners.add(({ at }) => void heard.push(`third ${at}`))
      })
    )
    ends.push(listeners.add(({ at }) => void heard.push(`second ${at}`)))
    listeners.tell(event(1))
    listeners.tell(event(2))
    expect(heard).toEqual(["first 1", "third 2"])
  })

  it("are not waited for", () => {
    const listeners = Listeners.make()
    const heard: Array<number> = []
    listeners.add(() => new Promise<void>(() => undefined))
    listeners.add(({ at }) => void heard.push(at))
    listeners.tell(event(1))
    expect(heard).toEqual([1])
  })
})
