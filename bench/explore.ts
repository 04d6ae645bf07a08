/**
 * `npm run explore`: visits every state that a user's grant and the token of the app can get into, and checks the checker
 * with clients that are known to be broken. Exits with 1 when a rule is broken, a broken client is not caught, or too little was visited.
 */
import { parseArgs } from "node:util"
import * as AppModel from "@zapier-workflow-auth/testing/AppModel"
import * as BrokenAppVariants from "@zapier-workflow-auth/testing/BrokenAppVariants"
import * as BrokenVariants from "@zapier-workflow-auth/testing/BrokenVariants"
import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
import * as GrantModel from "@zapier-workflow-auth/testing/GrantModel"
import type { Rule, Violation } from "@zapier-workflow-auth/testing/Invariants"
import { print, round, say } from "./report.ts"

type ServerName = keyof typeof GrantModel.servers

interface Bound {
  readonly states?: number | undefined
}

interface UserPlan extends Omit<GrantModel.Options, "server">, Bound {
  readonly mode: "user"
  readonly server: ServerName
}

interface AppPlan extends AppModel.Options, Bound {
  readonly mode: "app"
}

type Plan = UserPlan | AppPlan

const usage = `usage: npm run explore -- [--workers N --faults N] [--mode MODE] [--calls N] [--server NAME] [--kinds A,B] [--states N]

Without options: the usual explorations, and the broken clients. With --workers and --faults: one exploration.
   --workers N     processes that share the token
   --faults N      faults that happen at most
   --mode MODE     whose token it is: user, app (user)
   --calls N       calls that each process makes (1)
   --server NAME   of a user: ${Object.keys(GrantModel.servers).join(", ")} (strict)
   --kinds A,B     of a user: ${GrantModel.kinds.join(", ")} (all)
                   of an app: ${AppModel.kinds.join(", ")} (all)
   --states N      stop after so many states (no limit)
For a user, three workers with two faults of all kinds visit 4.5 million states for each server, and take minutes and
6 GB.`

const serverNames: ReadonlyArray<string> = Object.keys(GrantModel.servers)

const isServer = (name: string): name is ServerName => serverNames.includes(name)

const isOneOf =
  <Kind extends string>(kinds: ReadonlyArray<Kind>) =>
  (name: string): name is Kind =>
    (kinds as ReadonlyArray<string>).includes(name)

const isUserFault = isOneOf(GrantModel.kinds)

const isAppFault = isOneOf(AppModel.kinds)

/** What has to be visited at least in the usual run. */
const leastStates = 100_000

const usual: ReadonlyArray<Plan> = [
  { mode: "user", workers: 3, faults: 2, kinds: ["crash", "loss", "disconnect"], server: "strict" },
  { mode: "user", workers: 3, faults: 1, server: "strict" },
  { mode: "user", workers: 3, faults: 1, server: "lenient" },
  { mode: "user", workers: 3, faults: 1, server: "graceful" },
  { mode: "user", workers: 2, faults: 2, server: "strict" },
  { mode: "user", workers: 2, faults: 2, server: "lenient" },
  { mode: "user", workers: 1, calls: 2, faults: 2, server: "strict" },
  { mode: "user", workers: 2, calls: 2, faults: 1, server: "strict" },
  { mode: "app", workers: 3, faults: 2 },
  { mode: "app", workers: 2, calls: 2, faults: 2 }
]

const optional = (text: string | undefined) => (text === undefined ? undefined : Number(text))

const isWhole = (number: number | undefined, least: number) =>
  number === undefined || (Number.isSafeInteger(number) && number >= least)

// What was asked for; nothing if it makes no sense.
const parse = (args: ReadonlyArray<string>): ReadonlyArray<Plan> | undefined => {
  try {
    const text = { type: "string" } as const
    const { values } = parseArgs({
      args: [...args],
      options: { mode: text, workers: text, faults: text, calls: text, server: text, kinds: text, states: text }
    })
    if (Object.keys(values).length === 0) return usual
    const [workers, faults, calls, states] = [values.workers, values.faults, values.calls, values.states].map(optional)
    const isUsable = isWhole(workers, 1) && isWhole(faults, 0) && isWhole(calls, 1) && isWhole(states, 1)
    if (workers === undefined || faults === undefined || !isUsable) return undefined
    const size = { workers, faults, calls, states }
    if (values.mode === "app") {
      const kinds = values.kinds?.split(",") ?? AppModel.kinds
      const isPossible = values.server === undefined && kinds.every(isAppFault)
      return isPossible ? [{ mode: "app", ...size, kinds: kinds.filter(isAppFault) }] : undefined
    }
    const { mode = "user", server = "strict" } = values
    const kinds = values.kinds?.split(",") ?? GrantModel.kinds
    return mode === "user" && isServer(server) && kinds.every(isUserFault)
      ? [{ mode, ...size, kinds: kinds.filter(isUserFault), server }]
      : undefined
  } catch {
    return undefined
  }
}

const tell = (findings: ReadonlyArray<Explorer.Finding<Violation>>) => {
  const [first] = findings
  if (first === undefined) return
  say(`   BROKEN: ${first.violation.rule}: ${first.violation.what}`)
  for (const line of first.trace) say(`      ${line}`)
}

const explore = (plan: Plan, limits: Explorer.Limits<Violation>): Explorer.Report<Violation> =>
  plan.mode === "app"
    ? Explorer.explore(AppModel.make(plan), limits)
    : Explorer.explore(GrantModel.make({ ...plan, server: GrantModel.servers[plan.server] }), limits)

const run = (plan: Plan) => {
  const { calls = 1, faults, kinds, mode, workers } = plan
  const server = plan.mode === "user" ? plan.server : undefined
  const where = server === undefined ? "" : `, ${server} server`
  const often = calls === 1 ? "" : ` with ${calls} calls each`
  say(`${mode}: ${workers} workers${often}, ${faults} faults (${kinds?.join(", ") ?? "of all kinds"})${where}`)
  const begun = performance.now()
  const report = explore(plan, {
    states: plan.states,
    onProgress: (states, depth) => say(`   ${states} states, depth ${depth}`)
  })
  const seconds = round((performance.now() - begun) / 1000, 1)
  say(`   ${report.states} states, ${report.moves} moves, depth ${report.depth}, ${seconds} s`)
  tell(report.findings)
  const { depth, findings, isComplete, moves, states } = report
  return {
    mode,
    workers,
    calls,
    faults,
    server,
    states,
    moves,
    depth,
    isComplete,
    violations: findings.length,
    seconds
  }
}

interface Check {
  readonly name: string
  readonly breaks: Rule
  readonly explore: (limits: Explorer.Limits<Violation>) => Explorer.Report<Violation>
}

const allChecks: ReadonlyArray<Check> = [
  ...BrokenVariants.all.map((variant) => ({
    ...variant,
    explore: (limits: Explorer.Limits<Violation>) => Explorer.explore(GrantModel.make(variant), limits)
  })),
  ...BrokenAppVariants.all.map((variant) => ({
    ...variant,
    name: `for the app, ${variant.name}`,
    explore: (limits: Explorer.Limits<Violation>) => Explorer.explore(AppModel.make(variant), limits)
  }))
]

const isCaught = ({ breaks, explore, name }: Check): boolean => {
  const { findings } = explore({ isEnough: ({ rule }) => rule === breaks })
  const found = findings.find(({ violation }) => violation.rule === breaks)
  say(`   ${found === undefined ? "MISSED" : `caught in ${found.trace.length} moves`}: ${name}`)
  return found !== undefined
}

const main = (args: ReadonlyArray<string>): number => {
  const plans = parse(args)
  if (plans === undefined) {
    say(usage)
    return 2
  }
  const explorations = plans.map(run)
  const sum = (member: "states" | "violations") => explorations.reduce((all, one) => all + one[member], 0)
  const checks = plans === usual ? allChecks : []
  if (checks.length > 0) say("clients that are known to be broken")
  const caught = checks.filter(isCaught)
  const passed =
    sum("violations") === 0 && caught.length === checks.length && (plans !== usual || sum("states") >= leastStates)
  print({
    scenario: "explore",
    passed,
    states: sum("states"),
    violations: sum("violations"),
    brokenVariants: checks.length,
    caughtVariants: caught.length,
    explorations
  })
  return passed ? 0 : 1
}

process.exitCode = main(process.argv.slice(2))
