import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, it } from "@effect/vitest"
import * as Workerd from "../utils/Workerd.ts"

interface Stores {
  readonly check: (isEncrypted: boolean) => Promise<ReadonlyArray<readonly [law: string, problem: string | undefined]>>
  readonly rollBack: () => Promise<unknown>
}

Workerd.describeWithWorkerd("a Durable Object", () => {
  let runtime: Workerd.Runtime
  const object = async (name: string) => {
    const { STORES } = await runtime.getBindings<{ readonly STORES: { getByName: (name: string) => Stores } }>()
    return STORES.getByName(name)
  }

  beforeAll(async () => {
    const script = await Workerd.bundle(fileURLToPath(new URL("../fixtures/durableObject.ts", import.meta.url)))
    runtime = Workerd.start({
      modules: true,
      script,
      compatibilityDate: "2026-01-01",
      durableObjects: { STORES: { className: "Stores", useSQLite: true } }
    })
    await runtime.ready
  })
  afterAll(() => runtime.dispose())

  it.each([
    ["as it is", false],
    ["with its secrets encrypted", true]
  ])("keeps every law of the stores, %s", async (_, isEncrypted) => {
    const checked = await (await object(`laws-${isEncrypted}`)).check(isEncrypted)
    expect(checked.filter(([, problem]) => problem !== undefined)).toEqual([])
    expect(checked.length).toBeGreaterThan(60)
  })

  it("rolls a transaction back that fails, and tells no value", async () => {
    const { text, ...rest } = (await (await object("transactions")).rollBack()) as { readonly text: string }
    expect(rest).toEqual({ rows: [{ id: 3 }], reason: "ConstraintError" })
    expect(text).not.toContain("kept")
  })
})
