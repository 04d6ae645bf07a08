/** The client application, for clients without Effect. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Environment from "../environment.ts"
import * as Failures from "../connect/failures.ts"

/** The application in the environment. Variables and the secret's file are read at each use. */
export const environment: Layer.Layer<ClientApplication.ClientApplication> = Layer.effect(
  ClientApplication.ClientApplication,
  Effect.gen(function* () {
    const provider = yield* ConfigProvider.ConfigProvider
    const application = (provider: ConfigProvider.ConfigProvider) =>
      Effect.flatMap(ClientApplication.ClientApplication, ({ get }) => get).pipe(
        Effect.provide(ClientApplication.layerConfig()),
        Effect.provideService(ConfigProvider.ConfigProvider, provider)
      )
    const get = Effect.gen(function* () {
      const { clientSecret, clientSecretFile } = yield* Environment.application
      if (Option.isNone(clientSecretFile)) return yield* application(provider)
      if (Option.isSome(clientSecret)) {
        return yield* Environment.both("ZAPIER_CLIENT_SECRET", "ZAPIER_CLIENT_SECRET_FILE")
      }
      const { read } = yield* Effect.promise(() => import("./clientSecret.ts"))
      const secret = Redacted.value(yield* read(clientSecretFile.value))
      const found = ConfigProvider.fromUnknown({ ZAPIER_CLIENT_SECRET: secret })
      return yield* application(ConfigProvider.orElse(found, provider))
    }).pipe(Effect.provideService(ConfigProvider.ConfigProvider, provider))
    return { get }
  })
)

type Read = () => ClientApplication.Options | PromiseLike<ClientApplication.Options>

/** An application that the app's own function reads at each use. */
export const ofFunction = (read: Read): Layer.Layer<ClientApplication.ClientApplication, ZapierAuthError> =>
  ClientApplication.layerEffect(
    Effect.tryPromise({
      try: async () => read(),
      catch: Failures.toError("application", "read the client application")
    })
  )
