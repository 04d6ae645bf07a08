/** `login`: asks for a user's consent in the browser. */
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
import { command, shown } from "../shown.ts"
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

const timedOut = (seconds: number) =>
  new Refused({
    why: "LoginTimedOut",
    problem: `the browser did not come back from the consent page within ${seconds} s. Nothing was changed.`,
    run: command("login")
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
  return yield* new Refused({
    why: "NothingEntered",
    problem: "stdin ended before an address was pasted. Paste the whole address after it asks for it.",
    run: command("login --paste")
  })
})

const scopesOf = (status: Status) => (status._tag === "Absent" ? [] : status.scopes)

const connected = (status: Status) => {
  const scopes = scopesOf(status)
  return `Connected ${shown(status.subject)}. Scopes: ${scopes.join(", ")}.`
}

const consent = Effect.fnUntraced(function* (input: Input) {
  const auth = yield* ZapierAuth
  const subject = yield* Zapier.subject(input.subject)
  const redirectUri = yield* chosen(input)
  const scopes = input.scopes.length > 0 ? input.scopes : defaultScopes
  const { url } = yield* auth.authorizationUrl({ subject, scopes, redirectUri })
  const complete = (callback: string) => auth.handleCallback(callback, { subject })
  // The address holds `state`, which the browser needs.
  const address = `\n  ${Redacted.value(url)}\n`

  if (input.paste || !isOnThisMachine(redirectUri)) {
    yield* Output.note(`Open this address in a browser, and allow access:\n${address}`)
    yield* Output.note("Then paste the address that Zapier sends the browser to:")
    return yield* complete(yield* pasted)
  }
  const server = yield* CallbackServer.make({ redirectUri, consent: url, complete })
  yield* Output.note(
    `${input.browser ? "Allow access in the browser. If it did not open, open this address" : "Open this address in a browser on this machine, and allow access"}:\n${address}`
  )
  if (input.browser) yield* openBrowser(server.start)
  return yield* waiting("Waiting for the browser")(server.result)
}, Effect.scoped)

export const login = (input: Input) =>
  consent(input).pipe(
    Effect.timeoutOrElse({ duration: Duration.seconds(input.timeout), orElse: () => timedOut(input.timeout) }),
    Effect.flatMap((status) =>
      Output.result({ _tag: status._tag, subject: status.subject, scopes: scopesOf(status) }, connected(status))
    ),
    Effect.provide(Zapier.layer(input, true))
  )
