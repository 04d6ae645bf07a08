/** `login`: a user's consent, by way of the browser. */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { ZapierAuth, type Status } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Application from "../application.ts"
import * as Output from "../output.ts"
import type * as Flags from "../flags.ts"
import { Refused } from "../refused.ts"
import { shown } from "../shown.ts"
import { waiting } from "../waiting.ts"
import * as Zapier from "../zapier.ts"
import * as CallbackServer from "./callbackServer.ts"
import { openBrowser } from "./openBrowser.ts"

export interface Input extends Flags.Connection, Flags.RedirectUri {
  readonly subject: Option.Option<string>
  readonly scopes: ReadonlyArray<string>
  readonly browser: boolean
  readonly paste: boolean
  readonly timeout: number
}

const defaultScopes = ["profile", "zap"]

const isOnThisMachine = (uri: string) => ClientApplication.isRedirectUri(uri) && new URL(uri).protocol === "http:"

const chosen = Effect.fnUntraced(function* (input: Input) {
  if (Option.isSome(input.redirectUri)) return input.redirectUri.value
  const uris = yield* Application.redirectUris(input)
  return uris.find(isOnThisMachine) ?? uris[0] ?? Application.defaultRedirectUri
})

const cameBack = (seconds: number) =>
  new Refused({
    problem: `nobody came back from the consent page within ${seconds} s. Nothing was changed; run it again.`
  })

const pasted = Effect.gen(function* () {
  const { stdin } = yield* Stdio.Stdio
  const lines = stdin.pipe(
    Stream.decodeText,
    Stream.splitLines,
    Stream.map((line) => line.trim())
  )
  const line = yield* Effect.orDie(Stream.runHead(Stream.filter(lines, (text) => text !== "")))
  if (Option.isSome(line)) return line.value
  return yield* new Refused({ problem: "nothing was pasted. Run it again, and paste the whole address." })
})

const connected = (status: Status) => {
  const scopes = status._tag === "Absent" ? [] : status.scopes
  return `Connected: ${shown(status.subject)} may ${scopes.join(" ")}.`
}

const consent = Effect.fnUntraced(function* (input: Input) {
  const auth = yield* ZapierAuth
  const subject = yield* Zapier.subject(input.subject)
  const redirectUri = yield* chosen(input)
  const scopes = input.scopes.length > 0 ? input.scopes : defaultScopes
  const { url } = yield* auth.authorizationUrl({ subject, scopes, redirectUri })
  const complete = (callback: string) => auth.handleCallback(callback, { subject })
  // It holds state, which is what the user's browser needs.
  const address = `\n  ${Redacted.value(url)}\n`

  if (input.paste || !isOnThisMachine(redirectUri)) {
    yield* Output.note(`Open this address in a browser, and allow access:\n${address}`)
    yield* Output.note("Then paste the address that the browser was sent to, which begins with the redirect URI:")
    return yield* complete(yield* pasted)
  }
  const server = yield* CallbackServer.make({ redirectUri, consent: url, complete })
  yield* Output.note(
    `${input.browser ? "Allow access in the browser. If none has opened, open this address" : "Open this address in a browser on this machine, and allow access"}:\n${address}`
  )
  if (input.browser) yield* openBrowser(server.start)
  return yield* waiting("Waiting for the browser to come back")(server.result)
}, Effect.scoped)

export const login = (input: Input) =>
  consent(input).pipe(
    Effect.timeoutOrElse({ duration: Duration.seconds(input.timeout), orElse: () => cameBack(input.timeout) }),
    Effect.flatMap((status) => Output.print(connected(status))),
    Effect.provide(Zapier.layer(input, true))
  )
