/** `request`: a call of the API, with the credential that it takes. */
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { ZapierHttpClient } from "@zapier-workflow-auth/core/ZapierHttpClient"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as CallFailure from "../../internal/callFailure.ts"
import { oneLine } from "../../internal/terminalText.ts"
import type * as Flags from "../flags.ts"
import * as Output from "../output.ts"
import { Refused } from "../refused.ts"
import { waiting } from "../waiting.ts"
import * as Zapier from "../zapier.ts"

export interface Input extends Flags.Connection {
  readonly method: HttpMethod
  readonly path: string
  readonly data: Option.Option<string>
  readonly contentType: string
  readonly as: Option.Option<"user" | "app" | "client-id">
  readonly scopes: ReadonlyArray<string>
  readonly subject: Option.Option<string>
}

const cannotRead = (what: string) =>
  ZapierAuthError.make(new InvalidConfig({ setting: "--data", problem: `${oneLine(what)} cannot be read` }))

/** The bytes of a body: they can be sent once more if the first token is not taken. */
const bytesOf = Effect.fnUntraced(function* (data: string) {
  if (!data.startsWith("@")) return new TextEncoder().encode(data)
  const path = data.slice(1)
  if (path === "-") {
    const { stdin } = yield* Stdio.Stdio
    const text = yield* Effect.mapError(Stream.runCollect(stdin), () => cannotRead("stdin"))
    return Buffer.concat(text)
  }
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  return yield* Effect.mapError(fs.readFile(paths.resolve(path)), () => cannotRead(path))
})

const credentials = {
  user: (subject: string) => Credential.user(subject),
  app: (_: string, scopes: ReadonlyArray<string>) => Credential.app(scopes.length > 0 ? scopes : undefined),
  "client-id": () => Credential.clientId
}

const send = Effect.fnUntraced(function* (input: Input, subject: string) {
  const zapier = yield* ZapierHttpClient
  const as = Option.getOrElse(input.as, () => (input.scopes.length > 0 ? "app" : undefined))
  const client = as === undefined ? zapier.forUser(subject) : zapier.as(credentials[as](subject, input.scopes))
  const bare = HttpClientRequest.make(input.method)(input.path)
  const request = Option.isNone(input.data)
    ? bare
    : HttpClientRequest.setBody(bare, HttpBody.uint8Array(yield* bytesOf(input.data.value), input.contentType))
  const response = yield* Effect.catchReason(
    client.execute(request),
    "ZapierAuthError",
    "InvalidConfig",
    (reason, error): Effect.Effect<never, Refused | ZapierAuthError> =>
      reason.setting === "credential"
        ? new Refused({
            problem: `${input.method} ${oneLine(input.path)} is not in the endpoint table. Say which credential it takes: --as user, app or client-id`
          })
        : Effect.fail(error)
  )
  return response
})

// Some platforms make an error of a body that is not there.
const bodyOf = ({ status, stream }: HttpClientResponse.HttpClientResponse) =>
  Stream.catchTag(stream, "HttpClientError", ({ reason }) =>
    reason._tag === "EmptyBodyError"
      ? Stream.empty
      : Stream.fail(new Refused({ problem: `the response (status ${status}) broke off. What came of it is above` }))
  )

export const request = Effect.fnUntraced(function* (input: Input) {
  const subject = yield* Zapier.subject(input.subject)
  const status = yield* send(input, subject).pipe(
    waiting("Waiting for Zapier"),
    Effect.tap((response) => Output.printBytes(bodyOf(response))),
    Effect.map(({ status }) => status),
    Zapier.orLogin(subject),
    Effect.provide(Zapier.layer(input, true)),
    Effect.catchTag("HttpClientError", (error) => new Refused({ problem: CallFailure.of(error).message }))
  )
  if (status >= 400) return yield* new Refused({ problem: `Zapier answered with ${status}` })
})
