/**
 * The strict server of the crash test: a refresh ends the previous access token, and a second use of a refresh token
 * revokes the grant. It runs in the process that is not killed, so that its log is complete.
 */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type { FakeRequest, FakeResponse } from "@zapier-workflow-auth/testing/fake/FakeHttp"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Log from "./log.ts"
import { accessTokenLifetime, application, nameHeader, real } from "./settings.ts"

// How long a response is under way: time for a kill.
const latency = real(10)

const decoder = new TextDecoder()

const issuedBy = ({ body, status }: FakeResponse): string | undefined => {
  if (status !== 200) return undefined
  const { refresh_token }: { readonly refresh_token?: string } = JSON.parse(body)
  return refresh_token
}

/** Called when tokens were rotated for a process, before the response is sent. */
export type OnRotated = (process: string, issued: string) => void

const noting = (recorder: Log.Recorder, onRotated: OnRotated, request: FakeRequest, response: FakeResponse) => {
  if (request.path !== "/oauth/token/") return
  const form = new URLSearchParams(decoder.decode(request.body))
  const token = form.get("refresh_token")
  const issued = issuedBy(response)
  if (token === null) {
    if (issued !== undefined) recorder.consented(issued)
    return
  }
  const process = request.headers[nameHeader] ?? "parent"
  recorder.sent(process, token, issued)
  if (issued !== undefined) onRotated(process, issued)
}

const watched = (recorder: Log.Recorder, onRotated: OnRotated) =>
  Layer.effect(
    FakeZapier.FakeZapier,
    Effect.map(FakeZapier.FakeZapier, (fake) =>
      FakeZapier.FakeZapier.of({
        ...fake,
        handle: (request) =>
          fake.handle(request).pipe(
            Effect.tap(({ response }) => Effect.sync(() => noting(recorder, onRotated, request, response))),
            Effect.tap(Effect.sleep(latency))
          )
      })
    )
  )

const settings = {
  accessTokenLifetime: Duration.toSeconds(accessTokenLifetime),
  reuseRevokesGrant: true,
  refreshEndsAccessToken: true,
  rotateRefreshTokens: true,
  graceMillis: 0,
  rateLimits: false
}

/** The fake on a local socket, also for this process. */
export const layer = (recorder: Log.Recorder, onRotated: OnRotated) =>
  FakeZapier.layerServer.pipe(
    Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 })),
    Layer.provideMerge(watched(recorder, onRotated)),
    Layer.provide(FakeZapier.layer({ apps: [{ name: "Crash", ...application }], settings }))
  )
