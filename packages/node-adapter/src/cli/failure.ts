/** Errors for the person at the command line: what happened, and the command to run next. */
import type { StoreError } from "@zapier-workflow-auth/core/store/VersionedStore"
import type { Reason, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { Refused } from "./refused.ts"
import { withFlagsOf } from "./sameFlags.ts"
import { command } from "./shown.ts"

export interface Failure {
  readonly _tag: string
  readonly message: string
  /** A command as it is typed. */
  readonly run?: string | undefined
}

/** Rewords some of the library's messages, which are for apps, for the user of a command. */
const messages: { readonly [tag in Reason["_tag"]]?: string } = {
  ConsentDenied: "access was not allowed on Zapier's consent page. Nothing was changed.",
  ConsentExpired: "this login took too long, or was ended before. Start again.",
  ExchangeOutcomeUnknown: "Zapier's response to the code did not arrive, and a code works only once. Start again.",
  StateMismatch: "that address belongs to another login, or to one that expired. Start again.",
  InvalidCallback: "that is not the address that Zapier sent the browser to. Start again, and copy the whole address."
}

const commands: { readonly [tag in Reason["_tag"]]?: string } = {
  ConsentDenied: "login",
  ConsentExpired: "login",
  ExchangeOutcomeUnknown: "login",
  StateMismatch: "login",
  InvalidCallback: "login",
  ClientRejected: "doctor",
  TokenRequestRefused: "doctor",
  AuthorizationRefused: "doctor",
  TransportFailed: "doctor",
  MalformedResponse: "doctor",
  ApplicationUnavailable: "doctor",
  StoreFailed: "doctor",
  DecryptionFailed: "doctor"
}

/** Takes the command off the end of a message that names one. */
const split = (message: string) => {
  const [, before, run] = /^(.*[.:]) Run: ([^.\n][^\n]*)$/s.exec(message) ?? []
  return before === undefined ? { message: sentence(message), run } : { message: before, run }
}

const sentence = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`)

/** The library's settings, by the names that the command line has for them. */
const namesHere: { readonly [setting: string]: string } = {
  subject: "--subject, ZAPIER_SUBJECT",
  scopes: "--scope",
  redirectUri: "--redirect-uri",
  "signer.key": "ZAPIER_WHITE_LABEL_KEY, ZAPIER_WHITE_LABEL_KEY_FILE"
}

const renamed = (message: string) =>
  message.replace(/^([\w.]+):/, (begins, setting: string) =>
    Object.hasOwn(namesHere, setting) ? `${namesHere[setting]}:` : begins
  )

const described = (error: ZapierAuthError | StoreError | Refused): Failure => {
  if (error._tag === "Refused") return { _tag: error.why, message: sentence(error.problem), run: error.run }
  const { _tag } = error._tag === "ZapierAuthError" ? error.reason : error
  const next = commands[_tag]
  const { message, run = next === undefined ? undefined : command(next) } = split(
    messages[_tag] ?? renamed(error.message)
  )
  return { _tag, message, run }
}

/** @param args the arguments of the call that failed */
export const of = (error: ZapierAuthError | StoreError | Refused, args: ReadonlyArray<string>): Failure => {
  const { run, ...failure } = described(error)
  return { ...failure, run: run === undefined ? undefined : withFlagsOf(args, run) }
}

/** As a terminal shows it: a command to run stands on a line of its own. */
export const format = ({ message, run }: Failure): string =>
  run === undefined ? `error: ${message}` : `error: ${message} Run:\n  ${run}`
