/**
 * A script that acts as the app itself: it ends the given enrollments in a promotion, and reports which existed.
 * `ZapierNode.layer` gets the app's token on demand, and keeps it for the next run.
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

/** In small batches: an app may send 150 requests per minute. */
export const unenrollAll = (ids: ReadonlyArray<string>) => Effect.forEach(ids, unenroll, { concurrency: 5 })

if (import.meta.main) {
  const program = Effect.flatMap(unenrollAll(process.argv.slice(2)), Console.table)
  await Effect.runPromise(
    program.pipe(
      Effect.provide(ZapierNode.layer()),
      // Prints what to do, without a stack trace.
      Effect.catchTag("ZapierAuthError", ({ message }) => Console.error(message))
    )
  )
}
