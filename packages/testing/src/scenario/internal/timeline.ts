/** The history of a scenario as lines in the order of time: steps, requests, responses, and what users saw. */
import * as Cause from "effect/Cause"
import type { Browsing, Exchange, Result, History, PublishedEvent } from "../ScenarioHistory.ts"
import * as Names from "./names.ts"

interface Entry {
  readonly at: number
  /** The step that it belongs to; `kind` orders simultaneous entries. */
  readonly step: number
  readonly kind: "step" | "response" | "event" | "browser" | "request" | "result"
  readonly text: string
}

const kinds: ReadonlyArray<Entry["kind"]> = ["step", "response", "event", "browser", "request", "result"]

// Enough last lines to show the cause of a violation.
const shown = 40

const two = (number: number) => String(number).padStart(2, "0")

/** Hours, minutes, seconds and milliseconds. */
const clock = (millis: number): string => {
  const seconds = Math.floor(millis / 1_000)
  const time = `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return `${time}.${String(millis % 1_000).padStart(3, "0")}`
}

/** An error as one line, with its reason. */
export const errorLine = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (!(error instanceof Error)) return String(error)
  const tag = "_tag" in error && typeof error._tag === "string" ? error._tag : error.name
  const [line = ""] = error.message.split("\n")
  return line === "" || line === tag ? tag : `${tag}: ${line}`
}

const carried = (history: History, { accessToken, code, refreshToken }: Exchange) => {
  if (refreshToken !== undefined) return ` with refresh token ${Names.nameOf(history, refreshToken)}`
  if (code !== undefined) return ` with a code of ${Names.nameOf(history, code)}`
  return accessToken === undefined ? "" : ` with access token ${Names.nameOf(history, accessToken)}`
}

const targetOf = ({ isForZapier, request, url }: Exchange) => {
  const host = isForZapier || !URL.canParse(url) ? "" : new URL(url).host
  return request === undefined ? url.split("?", 1)[0] : `${request.method} ${host}${request.path}`
}

const sent = (history: History, exchange: Exchange, number: number): Entry => {
  const whose = exchange.subject === undefined ? "the app" : `for ${exchange.subject}`
  return {
    at: exchange.sentAt,
    step: exchange.step,
    kind: "request",
    text: `  ${number} -> ${whose}: ${targetOf(exchange)}${carried(history, exchange)}`
  }
}

const responded = (history: History, exchange: Exchange, number: number): ReadonlyArray<Entry> => {
  const { end, endedAt, issued, line, status } = exchange
  if (endedAt === undefined) return []
  const fault = /\((\w+)\)$/.exec(line)?.[1]
  const suffix = exchange.hasFault && fault !== undefined ? ` (fault: ${fault})` : ""
  const made = issued === undefined ? "" : `, tokens ${Names.nameOf(history, issued.accessToken)}`
  const response =
    end === "Lost" ? `the app gets no response${made === "" ? "" : `${made} are lost`}` : `${status}${made}`
  return [{ at: endedAt, step: exchange.step, kind: "response", text: `  ${number} <- ${response}${suffix}` }]
}

const ofEvent: { readonly [tag in PublishedEvent["event"]["_tag"]]: string } = {
  UserGrantChanged: "the grant",
  ConsentAttemptChanged: "the attempt to connect",
  AppCredentialChanged: "the app's own token",
  WhiteLabelTokenChanged: "the White Label token",
  ClientIdChanged: "the client id",
  OddResponseTaken: "an odd response"
}

const published = ({ at, event, step }: PublishedEvent): Entry => {
  const whose = "subject" in event ? ` of ${event.subject}` : ""
  const what =
    event._tag === "OddResponseTaken"
      ? `was accepted: ${event.oddities.join(", ")}`
      : `goes from ${event.from} to ${event.to}: ${event.event}`
  const cause = "cause" in event ? ` (${event.cause})` : ""
  return { at, step, kind: "event", text: `  event: ${ofEvent[event._tag]}${whose} ${what}${cause}` }
}

// In a browser's order, which may follow several redirects within a millisecond.
const browsed = ({ beganAt, endedAt, isElsewhere, leadsTo, method, path, status, step, subject }: Browsing) => {
  const who = Names.browserOf(subject, isElsewhere)
  const kind = "browser" as const
  const sent: Entry = { at: beganAt, step, kind, text: `  ${who} -> ${method} ${path}` }
  if (endedAt === undefined) return [sent]
  const text = `  ${who} <- ${status}${leadsTo === undefined ? "" : ` to ${leadsTo}`} (${method} ${path})`
  return [sent, { at: endedAt, step, kind, text }]
}

const resultOf = ({ action, end, endedAt, exit, shown, step, subject }: Result): Entry => {
  const who = subject ?? "the app"
  const entry = { at: endedAt, step, kind: "result" } as const
  if (exit === undefined) {
    const why = { Killed: "ended with the app", HungUp: "hung up", Waiting: "waits for ever", Done: "ended" }[end]
    return { ...entry, text: `  ${who}: ${action} ${why}` }
  }
  const error = exit._tag === "Failure" ? ` (${errorLine(exit.cause)})` : ""
  return { ...entry, text: `  ${who}: ${action} shows ${shown}${error}` }
}

/**
 * The last lines of the history.
 * @param lines a line for each step
 * @param start when the scenario began, in milliseconds since the epoch
 */
export const linesOf = (history: History, lines: ReadonlyArray<string>, start: number): ReadonlyArray<string> => {
  const steps = history.stepsBeganAt.map((at, index) => ({
    at,
    step: index,
    kind: "step" as const,
    text:
      lines[index] === undefined ? "at the end, every connected user calls once more" : `${index + 1}. ${lines[index]}`
  }))
  const entries: ReadonlyArray<Entry> = [
    ...steps,
    ...history.exchanges.flatMap((exchange, index) => [
      sent(history, exchange, index + 1),
      ...responded(history, exchange, index + 1)
    ]),
    ...(history.browsings ?? []).flatMap(browsed),
    ...(history.events ?? []).map(published),
    ...history.results.map(resultOf)
  ]
  // An app may have put a secret where it does not belong.
  const hide = Names.hiding(history)
  return entries
    .toSorted(
      (one, other) => one.at - other.at || one.step - other.step || kinds.indexOf(one.kind) - kinds.indexOf(other.kind)
    )
    .slice(-shown)
    .map(({ at, text }) => `${clock(at - start)} ${hide(text)}`)
}
