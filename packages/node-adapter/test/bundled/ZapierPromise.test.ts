import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { expect, expectTypeOf, it } from "@effect/vitest"
import * as Bundled from "../../src/bundled/ZapierPromise.ts"
import * as ZapierPromise from "../../src/ZapierPromise.ts"

it("is the facade but for layers, which are of another Effect", () => {
  expectTypeOf<ReturnType<typeof Bundled.make>>().toEqualTypeOf<ZapierPromise.ZapierPromise>()
  expectTypeOf<Bundled.Options>().toExtend<ZapierPromise.Options>()
  const layer = ClientApplication.layerConfig()
  expect(() => Bundled.make({ application: layer as never })).toThrow(
    /^application: pass plain options .* To pass a layer, import/
  )
  expect(Bundled.toResponse).toBe(ZapierPromise.toResponse)
})
