/**
 * A script that acts as the app itself: it ends the enrollments in a promotion whose ids it is given, and says which were
 * there. The app's token is fetched when it is first needed, and kept by `ZapierNode.layer` for the next run.
 *
 * Against the real Zapier, with ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET and ZAPIER_REDIRECT_URIS set:
 * `node app-credential.ts 4217 4218`
 */
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"

const unenroll = Effect.fn("unenroll")(function* (enrollment_id: string) {
  const zapier = yield* ZapierHttpClient
  const { status } = yield* zapier.call("DELETE /v2/promotions/{enrollment_id}", { path: { enrollment_id } })
  return { enrollment_id, ended: status < 400 }
})

/** Not all at once: an app may ask 150 times a minute. */
export const unenrollAll = (ids: ReadonlyArray<string>) => Effect.forEach(ids, unenroll, { concurrency: 5 })

if (import.meta.main) {
  const program = Effect.flatMap(unenrollAll(process.argv.slice(2)), Console.table)
  await Effect.runPromise(
    program.pipe(
      Effect.provide(ZapierNode.layer()),
      // Says what to do, without a stack.
      Effect.catchTag("ZapierAuthError", ({ message }) => Console.error(message))
    )
  )
}
