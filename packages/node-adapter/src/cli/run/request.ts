/** `request`: calls the API with the credential that the endpoint takes. */
import { STATUS_CODES } from "node:http"
import * as Credential from "@zapier-workflow-auth/core/zapier/Credential"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
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
import * as Flags from "../flags.ts"
import { nearest } from "../nearest.ts"
import * as Output from "../output.ts"
import { Refused } from "../refused.ts"
import { command, shown, typed } from "../shown.ts"
import { waiting } from "../waiting.ts"
import { oneOf } from "../wrap.ts"
import * as Zapier from "../zapier.ts"

export interface Input extends Flags.Connection {
  readonly method: HttpMethod
  readonly path: string
  readonly data: Option.Option<string>
  readonly contentType: string
  readonly as: Option.Option<"user" | "app" | "client-id">
  readonly scopes: ReadonlyArray<string>
  readonly subject: Option.Option<string>
  readonly include: boolean
}

const cannotRead = (what: string) =>
  new Refused({
    why: "CannotRead",
    problem: `--data: cannot read ${oneLine(what)}. Check the path and its permissions.`
  })

const isJson = (bytes: Uint8Array) => {
  try {
    JSON.parse(new TextDecoder().decode(bytes))
    return true
  } catch {
    return false
  }
}

/** The bytes of a body, so that it can be sent again after a 401. */
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

const body = Effect.fnUntraced(function* (data: string, contentType: string) {
  const bytes = yield* bytesOf(data)
  if (contentType.startsWith("application/json") && !isJson(bytes)) {
    return yield* new Refused({
      why: "InvalidConfig",
      problem:
        "--data is not valid JSON. Quote it for the shell, put it into a file (-d @file), or give --content-type."
    })
  }
  return HttpBody.uint8Array(bytes, contentType)
})

const credentials = {
  user: (subject: string) => Credential.user(subject),
  app: (_: string, scopes: ReadonlyArray<string>) => Credential.app(scopes.length > 0 ? scopes : undefined),
  "client-id": () => Credential.clientId
}

/** The endpoint of a call, and the credential of the flags: none if the endpoint decides. */
const target = Effect.fnUntraced(function* ({ as, method, path, scopes }: Input) {
  const pathname = path.split("?", 1)[0] ?? ""
  const endpoint = Endpoint.match(method, pathname)
  const mode = Option.getOrElse(as, () => (scopes.length > 0 ? ("app" as const) : undefined))
  if (endpoint === undefined && mode === undefined) {
    const near = nearest(`${method} ${pathname}`, Endpoint.names)
    return yield* new Refused({
      why: "UnknownEndpoint",
      problem: `unknown endpoint: ${method} ${oneLine(pathname)}.${near === undefined ? "" : ` Did you mean ${near}?`} For an endpoint that is not in the list of "zapier-workflow-auth scopes", say which credential it takes: --as user, --as app or --as client-id.`
    })
  }
  const isUser =
    mode === "user" ||
    (mode === undefined && endpoint !== undefined && Endpoint.requirement(endpoint).modes.includes("User"))
  return { mode, isUser }
})

const send = Effect.fnUntraced(function* (input: Input, subject: string, as: keyof typeof credentials | undefined) {
  const zapier = yield* ZapierHttpClient
  const client = as === undefined ? zapier.forUser(subject) : zapier.as(credentials[as](subject, input.scopes))
  const bare = HttpClientRequest.make(input.method)(input.path)
  const request = Option.isNone(input.data)
    ? bare
    : HttpClientRequest.setBody(bare, yield* body(input.data.value, input.contentType))
  return yield* client.execute(request)
})

// Some platforms fail for an empty body.
const bodyOf = ({ status, stream }: HttpClientResponse.HttpClientResponse) =>
  Stream.catchTag(stream, "HttpClientError", ({ reason }) =>
    reason._tag === "EmptyBodyError"
      ? Stream.empty
      : Stream.fail(
          new Refused({
            why: "ResponseBroken",
            problem: `the response (status ${status}) broke off. The part that came is above.`
          })
        )
  )

const head = ({ headers, status }: HttpClientResponse.HttpClientResponse) =>
  [
    `HTTP/1.1 ${status}${STATUS_CODES[status] === undefined ? "" : ` ${STATUS_CODES[status]}`}`,
    ...Object.entries(headers).map(([name, value]) => oneLine(`${name}: ${value}`)),
    ""
  ].join("\n")

const print = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse, include: boolean) {
  if (include) yield* Output.print(head(response))
  yield* Output.printBytes(bodyOf(response), response.headers["content-type"] ?? "")
})

const isMissingScope = (error: ZapierAuthError) =>
  error.reason._tag === "InsufficientScope" && error.reason.mode === "User"

/** Names the login that asks for the missing scope. The scopes that the user has allowed stay. */
const orMoreScopes =
  (input: Input, subject: string) =>
  <A, E, R>(effect: Effect.Effect<A, E | ZapierAuthError, R>) =>
    Effect.catchReason(
      effect,
      "ZapierAuthError",
      "InsufficientScope",
      (reason, error): Effect.Effect<never, ZapierAuthError | Refused> => {
        const [scope] = reason.anyOf
        return isMissingScope(error) && scope !== undefined
          ? new Refused({
              why: "InsufficientScope",
              problem: `${reason.endpoint} needs the scope ${oneOf(reason.anyOf)}, which ${shown(subject)} has not allowed.`,
              run: command("login", { subject, scope, ...Flags.typed(input) })
            })
          : Effect.fail(error)
      }
    )

export const request = Effect.fnUntraced(function* (input: Input) {
  const subject = yield* Zapier.subject(input.subject)
  const { isUser, mode } = yield* target(input)
  const status = yield* send(input, subject, mode).pipe(
    waiting("Waiting for Zapier"),
    Effect.tap((response) => print(response, input.include)),
    Effect.map(({ status }) => status),
    orMoreScopes(input, subject),
    Zapier.orLogin(input, subject, `request ${input.method} ${typed(input.path)}`),
    Effect.provide(Zapier.layer(input, !isUser)),
    Effect.catchTag(
      "HttpClientError",
      (error) => new Refused({ why: "TransportFailed", problem: CallFailure.of(error).message, run: command("doctor") })
    )
  )
  if (status >= 400) {
    return yield* new Refused({
      why: "HttpStatus",
      problem: `Zapier responded with status ${status}. See its response above.`
    })
  }
})
