/** Several client applications in one process. */
import { describe, expect, it } from "@effect/vitest"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import { ApplicationUnavailable, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as LayerMap from "effect/LayerMap"
import * as ZapierNode from "../src/ZapierNode.ts"

describe("ZapierNode in a LayerMap", () => {
  it.effect("is built again after a build that failed and was invalidated", () =>
    Effect.gen(function* () {
      let isAway = true
      let builds = 0
      const apps = yield* LayerMap.make(
        (clientId: string) => {
          builds++
          return ZapierNode.layerMemory({
            application: ClientApplication.layerEffect(
              Effect.suspend(() =>
                isAway
                  ? Effect.fail(ZapierAuthError.make(new ApplicationUnavailable({ waited: Duration.seconds(1) })))
                  : Effect.succeed({
                      clientId,
                      clientSecret: "s3cret",
                      redirectUris: ["https://acme.example/callback"]
                    })
              )
            )
          })
        },
        { idleTimeToLive: "1 hour" }
      )
      const servicesOf = (clientId: string) =>
        Effect.tapError(apps.contextEffect(clientId), () => apps.invalidate(clientId))
      const statusOf = (clientId: string) =>
        Effect.scoped(
          Effect.flatMap(servicesOf(clientId), (services) =>
            Effect.provideContext(
              ZapierAuth.use((auth) => auth.status("ada")),
              services
            )
          )
        )
      expect(yield* Effect.flip(statusOf("main"))).toMatchObject({ reason: { _tag: "ApplicationUnavailable" } })
      isAway = false
      expect(yield* statusOf("main")).toEqual({ _tag: "Absent", subject: "ada" })
      expect(yield* statusOf("main")).toEqual({ _tag: "Absent", subject: "ada" })
      expect(yield* statusOf("labs")).toEqual({ _tag: "Absent", subject: "ada" })
      expect(builds).toBe(3)
    })
  )
})
