/** Scenarios as text: a line for each step, and the source code of a test. */
import type * as FakeFault from "../../fake/FakeFault.ts"
import type { WaitTime } from "../../internal/waits.ts"
import type { Step } from "../ScenarioStep.ts"
import * as Source from "../../internal/source.ts"

const times: { readonly [time in WaitTime]: string } = {
  moment: "a quarter of a second",
  second: "a second",
  seconds: "8 seconds",
  timeout: "20 seconds",
  listening: "a minute",
  lease: "a minute and a half",
  minutes: "5 minutes",
  recovery: "20 minutes",
  hour: "an hour",
  untilDue: "9 hours and 55 minutes",
  lifetime: "10 hours"
}

// A step's other members, in short.
const details = ({ _tag, ...members }: { readonly _tag: string }): string => {
  const entries = Object.entries(members)
  return entries.length === 0
    ? ""
    : ` (${entries.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(", ")})`
}

const requestOf = ({ match = {}, nth, share, times }: FakeFault.Rule): string => {
  const kind = match.grantType ?? match.endpoint ?? ""
  const whose = match.user === undefined ? "" : ` of ${match.user}`
  const request = kind === "" ? `request${whose}` : `request (${kind})${whose}`
  const which = nth === undefined || nth === 1 ? `the next ${request}` : `${request} number ${nth} from now`
  const often = share === undefined ? "" : `, with a chance of ${share}`
  return `${which}${often}${times === undefined ? "" : `, times: ${times}`}`
}

const happenings = {
  Consent: "connects: begins, allows, and comes back",
  Deny: "begins to connect, denies, and comes back",
  LogIn: "begins to connect, and allows it at Zapier",
  HangUp: "stops waiting",
  Disconnect: "disconnects",
  Revoke: "revokes the app's access at Zapier",
  Restart: "the app is restarted properly",
  Crash: "the app is killed and started again",
  RevokeAll: "Zapier ends the app's access to all accounts",
  RegenerateSecret: "the app gets a new secret, and is configured with it 5 minutes later"
}

const ways = {
  Own: "comes back to the app",
  Again: "comes back to the app with a used callback",
  Other: "comes back to the app with another user's callback",
  Forged: "comes back to the app with a stranger's code"
}

/** Describes a step. */
export const lineOf = <A>(step: Step<A>): string => {
  switch (step._tag) {
    case "Act":
      return `the app does ${JSON.stringify(step.action)}`
    case "Wait":
      return `${times[step.time]} pass`
    case "Consent":
      return `${step.subject} ${happenings.Consent}${step.account === "other" ? ", with another account at Zapier" : ""}`
    case "Call":
      return `${step.subject} calls${step.browser === "Other" ? ", in another browser" : ""}`
    case "ComeBack":
      return `${step.subject} ${ways[step.with]}${step.browser === "Other" ? ", in another browser" : ""}`
    case "Arm":
      return `fault in ${requestOf(step.rule)}: ${step.rule.fault._tag}${details(step.rule.fault)}`
    case "EndAccessToken":
      return `Zapier ends ${step.subject}'s access token early`
    case "Outage":
      return `Zapier is down for ${times[step.time]}`
    case "ChangeSettings":
      return `Zapier changes:${details({ _tag: step._tag, ...step.settings })}`
    case "Together":
      return `at once: ${step.steps.map(lineOf).join(" | ")}`
    default:
      return "subject" in step ? `${step.subject} ${happenings[step._tag]}` : happenings[step._tag]
  }
}

/** The source code of an effect that runs a scenario. */
export const scriptOf = <A>(
  steps: ReadonlyArray<Step<A>>,
  options: { readonly seed?: number | string | undefined }
) => {
  const more = options.seed === undefined ? "" : `, { seed: ${JSON.stringify(options.seed)} }`
  return [`Scenario.run(app, [`, steps.map((step) => `  ${Source.of(step)}`).join(",\n"), `]${more})`].join("\n")
}

const indented = (text: string) => text.replaceAll(/^/gm, "  ")

const section = (title: string, lines: ReadonlyArray<string>) =>
  lines.length === 0 ? [] : ["", title, ...lines.map(indented)]

/** The message of a broken rule. */
export const messageOf = (failed: {
  readonly rule: string
  readonly observed: string
  readonly steps: ReadonlyArray<string>
  readonly timeline: ReadonlyArray<string>
  readonly script: string
  readonly replay?: string | undefined
}): string => {
  const { observed, replay, rule, script, steps, timeline } = failed
  const numbered = steps.map((line, index) => `${index + 1}. ${line}`)
  const again = replay === undefined ? [] : [`Scenario.check(app, { replay: ${JSON.stringify(replay)} })`]
  return [
    `The app breaks the rule "${rule}"`,
    `Observed: ${observed}`,
    ...section("Steps:", numbered),
    ...section("Timeline:", timeline),
    ...section("As a test:", script === "" ? [] : [script]),
    ...section("To repeat it:", again)
  ].join("\n")
}
