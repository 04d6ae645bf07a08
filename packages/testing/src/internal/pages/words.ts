/** Times and faults in words. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as FakeFault from "../../fake/FakeFault.ts"

/** A duration in its two largest units, rounded down. */
export const duration = (millis: number): string => {
  const { days, hours, minutes, seconds } = Duration.parts(Duration.millis(millis))
  const counts = [`${days} d`, `${hours} h`, `${minutes} min`, `${seconds} s`]
  const first = counts.findIndex((count) => !count.startsWith("0 "))
  const words = counts.slice(first, first + 2).filter((count) => !count.startsWith("0 "))
  return first === -1 ? "0 s" : words.join(" ")
}

/** How far a clock is from the outer clock. */
export const offset = (millis: number): string =>
  millis === 0
    ? "The same as this machine's clock."
    : `${duration(Math.abs(millis))} ${millis > 0 ? "ahead of" : "behind"} this machine's clock.`

/** A moment in UTC, to the second. */
export const moment = (at: number): string =>
  Option.match(DateTime.make(at), {
    onNone: () => `${at} ms`,
    onSome: (date) => DateTime.formatIso(date).replace("T", " ").replace(/\..*$/, " UTC")
  })

/** A moment's time of day in UTC. */
export const clock = (at: number): string => moment(at).slice(11, 19)

const after = (isAfterActing: boolean | undefined) => (isAfterActing === true ? ", after acting" : "")

/** Each kind of fault in words. */
export const fault = FakeFault.Fault.match({
  RequestLost: () => "The request is lost: the connection closes",
  RequestSilent: () => "The request is lost: the connection stays open",
  ResponseLost: () => "The response is lost: the connection closes",
  ResponseSilent: () => "The response is lost: the connection stays open",
  ResponseSlow: ({ millis }) => `The response is ${duration(millis)} late`,
  ConnectionReset: ({ afterActing }) => `The connection is reset${after(afterActing)}`,
  ServerError: ({ afterActing, status }) => `A gateway responds with ${status}${after(afterActing)}`,
  Unavailable: ({ afterActing, retryAfter }) => `503, retry after ${retryAfter ?? 30} s${after(afterActing)}`,
  RateLimited: ({ retryAfter }) => `429, retry after ${retryAfter ?? 60} s`,
  Unauthorized: () => "401, for any credential",
  Forbidden: () => "403, for any scope",
  Redirected: ({ status }) => `${status ?? 302}, to another origin`,
  MalformedJson: () => "The JSON lacks its last character",
  WrongTypes: () => "The JSON has members of wrong types",
  TruncatedBody: () => "The body breaks off",
  WrongContentType: ({ contentType }) => `The content type is ${contentType ?? "text/html"}`,
  ClockJump: ({ millis }) => `The clock jumps ${duration(Math.abs(millis))} ${millis < 0 ? "back" : "ahead"}`
})

const pages: { readonly [target: string]: string | undefined } = {
  token: "the token endpoint",
  authorize: "the consent page",
  connect: "the Connect page"
}

/** A target in words. */
export const target = (target: FakeFault.Target): string => pages[target] ?? target

const often = ({ nth, share, times }: FakeFault.Rule): string => {
  const most = times ?? (share === undefined ? 1 : "Always")
  const begins = nth === undefined || nth === 1 ? "" : `after ${nth - 1} more, `
  const part = share === undefined ? "" : `${share * 100} % of them, `
  return `${begins}${part}${most === "Always" ? "always" : most === 1 ? "once" : `${most} times`}`
}

/** The requests that a rule applies to, and how often. */
export const scope = (rule: FakeFault.Rule): string => {
  const { endpoint, grantType, user } = rule.match ?? {}
  const meant = [
    endpoint === undefined ? "Any request" : `Requests to ${target(endpoint)}`,
    ...(grantType === undefined ? [] : [`with ${grantType}`]),
    ...(user === undefined ? [] : [`for ${user}`])
  ]
  return `${meant.join(" ")}: ${often(rule)}`
}
