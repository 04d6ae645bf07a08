/** Draws the history of a scenario: browsers, instances of the app, its store, Zapier, and other hosts. */
import * as Redacted from "effect/Redacted"
import type { Browsing, Exchange, Result, History, Shown, Subject, Trouble, Visit, Write } from "../ScenarioHistory.ts"
import * as Names from "./names.ts"
import * as Timeline from "./timeline.ts"
import * as Diagram from "../../internal/diagram/model.ts"

// The order of simultaneous events of a step.
const order = { step: 0, back: 1, begin: 2, response: 3, write: 4, browser: 5, request: 6, result: 7, violation: 8 }

interface Placed {
  readonly step: number
  readonly order: number
  readonly entry: Diagram.Entry
}

const tones: { readonly [shown in Shown]: Diagram.Tone } = {
  Data: "Good",
  Connect: "Ask",
  TryLater: "Later",
  Broken: "Bad"
}

const begins: { readonly [does in Visit["does"]]: string } = {
  LogIn: "wants to connect Zapier",
  ComeBack: "comes back from Zapier",
  Call: "calls",
  Disconnect: "disconnects",
  Act: "acts"
}

const ends = {
  Killed: "ends with the app",
  HungUp: "is abandoned by the user",
  Waiting: "waits for ever",
  Done: "ends"
}

// These never reach Zapier.
const unsent: ReadonlySet<string> = new Set(["RequestLost", "RequestSilent"])

/**
 * @param lines a line for each step
 * @param start when the scenario began, in milliseconds since the epoch
 * @param broken the rule that is broken at the end
 */
export const of = (
  history: History,
  lines: ReadonlyArray<string>,
  start: number,
  broken: { readonly rule: string; readonly observed: string }
): Diagram.Diagram => {
  const { browsings = [], exchanges, results, stepsBeganAt, troubles, visits = [], writes = [] } = history
  const placed: Array<Placed> = []
  const place = (step: number, order: number, entry: Diagram.Entry) => void placed.push({ step, order, entry })

  // Lanes, from left to right.
  const lanes = Diagram.lanes()
  const isAlone = new Set([0, ...visits.map(({ instance }) => instance)]).size === 1
  const userLane = (subject: Subject | undefined, isElsewhere?: boolean) =>
    lanes.of("User", Names.browserOf(subject, isElsewhere))
  const appLane = (instance = 0) => lanes.of("App", isAlone ? "the app" : `instance ${instance + 1}`)
  for (const { isElsewhere, subject } of results) userLane(subject, isElsewhere)
  for (const instance of new Set([0, ...visits.map(({ instance }) => instance)])) appLane(instance)
  const store = writes.length === 0 ? undefined : lanes.of("Store", "the store")
  const zapier = lanes.of("Zapier", "Zapier")

  const isBrowsed = (actionId: number) => browsings.some((browsing) => browsing.actionId === actionId)

  const name = (secret: string | undefined) => Names.nameOf(history, secret)

  const ofStep = (began: number, index: number) => {
    const line = lines[index]
    const text = line === undefined ? "At the end, every connected user calls once more" : `${index + 1}. ${line}`
    place(index, order.step, Diagram.step(began - start, text))
  }

  const ofVisit = (visit: Visit) => {
    const { beganAt, actionId, does, endedAt, instance, step, subject } = visit
    const result = results.find((result) => result.actionId === actionId)
    const [user, app] = [userLane(subject, result?.isElsewhere), appLane(instance)]
    if (does === "ComeBack" && result !== undefined && result.action !== "ComeBack") {
      const text =
        result.action === "Deny" ? "sends the browser back: denied" : `sends the browser back: a code of ${subject}`
      place(step, order.back, Diagram.arrow(beganAt - start, { from: zapier, to: user, text, isResponse: true }))
    }
    if (!isBrowsed(actionId)) {
      place(step, order.begin, Diagram.arrow(beganAt - start, { from: user, to: app, text: begins[does] }))
    }
    const goesOn = visits.some((other) => other.actionId === actionId && other.does === "ComeBack")
    const isKept = result?.action === "LogIn" && result.exit?._tag === "Success"
    if (does !== "LogIn" || endedAt === undefined || !(goesOn || isKept)) return
    const at = endedAt - start
    if (!isBrowsed(actionId)) {
      const sends = Diagram.arrow(at, { from: app, to: user, text: "sends the browser to Zapier", isResponse: true })
      place(step, order.result, sends)
    }
    const answer = result?.action === "Deny" ? "denies" : "allows"
    place(step, order.result, Diagram.arrow(at, { from: user, to: zapier, text: `${answer} on the consent page` }))
  }

  const ofBrowsing = (browsing: Browsing) => {
    const { beganAt, endedAt, instance, isElsewhere, leadsTo, method, path, status, step, subject } = browsing
    const [user, app] = [userLane(subject, isElsewhere), appLane(instance)]
    const sent = { from: user, to: app, text: `${method} ${path}` }
    place(step, order.browser, Diagram.arrow(beganAt - start, sent))
    if (endedAt === undefined) return
    const text = leadsTo === undefined ? String(status) : `${status} to ${leadsTo}`
    place(step, order.browser, Diagram.arrow(endedAt - start, { from: app, to: user, text, isResponse: true }))
  }

  const ofResult = ({ action, actionId, end, endedAt, exit, isElsewhere, shown, step, subject }: Result) => {
    const user = userLane(subject, isElsewhere)
    const at = endedAt - start
    if (exit === undefined || shown === undefined) {
      return place(step, order.result, Diagram.note(at, user, `${action} ${ends[end]}`, "Bad"))
    }
    const error = exit._tag === "Failure" ? ` (${Timeline.errorLine(exit.cause)})` : ""
    // The browser is at Zapier then: the app shows nothing.
    if (action === "LogIn" && exit._tag === "Success") {
      const text = `keeps the callback: a code of ${subject}`
      return place(step, order.result, Diagram.arrow(at, { from: zapier, to: user, text, isResponse: true }))
    }
    const from = appLane(visits.findLast((visit) => visit.actionId === actionId)?.instance)
    const text = `${action} shows ${shown}${error}`
    // The page that has just arrived is what the user sees.
    if (isBrowsed(actionId)) return place(step, order.result, Diagram.note(at, user, text, tones[shown]))
    place(step, order.result, Diagram.arrow(at, { from, to: user, text, tone: tones[shown], isResponse: true }))
  }

  const carried = ({ accessToken, code, refreshToken }: Exchange) => {
    if (refreshToken !== undefined) return `, refresh token ${name(refreshToken)}`
    if (code !== undefined) return `, a code of ${name(code)}`
    return accessToken === undefined ? "" : `, access token ${name(accessToken)}`
  }

  const hostOf = ({ isForZapier, url }: Exchange) =>
    isForZapier ? zapier : lanes.of("Other", URL.canParse(url) ? new URL(url).host : "another host")

  const ofExchange = (exchange: Exchange, index: number) => {
    const { end, endedAt, instance, hasFault, issued, line, request, sentAt, status, step, url } = exchange
    const number = index + 1
    const [app, host] = [appLane(instance), hostOf(exchange)]
    const fault = hasFault ? /\((\w+)\)$/.exec(line)?.[1] : undefined
    // A response just before the app was killed counts as lost, since it may not be stored, but it did arrive.
    const isCutOff = end === "Lost" && status !== undefined
    const isLost = end === "Lost" && !isCutOff
    // The app may not have noticed yet.
    const isUnsent =
      (isLost && request === undefined) || (end !== "Responded" && fault !== undefined && unsent.has(fault))
    const [where = ""] = url.split("?", 1)
    const target = request === undefined ? where : `${request.method} ${request.path}`
    const sent = { from: app, to: host, text: `${target}${carried(exchange)}`, number, isLost: isUnsent }
    place(step, order.request, Diagram.arrow(sentAt - start, { ...sent, fault: isUnsent ? fault : undefined }))
    if (endedAt === undefined) {
      const waits = Diagram.note(history.now - start, app, `still waits for the response to ${number}`)
      return place(stepsBeganAt.length, order.result, waits)
    }
    const at = endedAt - start
    if (isUnsent) return place(step, order.response, Diagram.note(at, app, `no response to ${number}`, "Bad"))
    const made = issued === undefined ? "" : `tokens ${name(issued.accessToken)}`
    const text = isLost
      ? `the response is lost${made === "" ? "" : `, and ${made} with it`}`
      : [status, ...(made === "" ? [] : [made]), ...(isCutOff ? ["just before the app is killed"] : [])].join(", ")
    const tone = isLost ? "Bad" : "Plain"
    const back = { from: host, to: app, text, number, isResponse: true, isLost, fault, tone } as const
    place(step, order.response, Diagram.arrow(at, back))
  }

  const ofWrite = ({ at, grant, instance, isDone, step, subject }: Write) => {
    if (store === undefined) return
    const token =
      grant && history.secrets.has(Redacted.value(grant.tokens.accessToken))
        ? `, tokens ${name(Redacted.value(grant.tokens.accessToken))}`
        : ""
    const what = grant === undefined ? `removes the grant of ${subject}` : `writes ${grant._tag} of ${subject}${token}`
    const text = isDone ? what : `${what}: rejected, another came first`
    const sent = { from: appLane(instance), to: store, text, tone: isDone ? "Plain" : "Later" } as const
    place(step, order.write, Diagram.arrow(at - start, sent))
  }

  const ofTrouble = ({ from, step = 0, what }: Trouble) => {
    if (exchanges.some(({ line }) => line === what)) return
    place(step, order.begin, Diagram.note(from - start, undefined, what, "Bad"))
  }

  stepsBeganAt.forEach(ofStep)
  visits.forEach(ofVisit)
  browsings.forEach(ofBrowsing)
  exchanges.forEach(ofExchange)
  writes.forEach(ofWrite)
  results.forEach(ofResult)
  troubles.forEach(ofTrouble)
  place(stepsBeganAt.length, order.violation, Diagram.violation(history.now - start, broken))
  const entries = placed
    .toSorted((one, other) => one.entry.at - other.entry.at || one.step - other.step || one.order - other.order)
    .map(({ entry }) => entry)
  return Diagram.make(lanes.all, entries, Names.hiding(history))
}
