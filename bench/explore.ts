/**
 * `npm run explore`: visits every state that a user's grant can get into, and checks the checker with clients that are
 * known to be broken. Exits with 1 when a rule is broken, a broken client is not caught, or too little was visited.
 */
import { parseArgs } from "node:util"
import * as BrokenVariants from "@zapier-workflow-auth/testing/BrokenVariants"
import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
import * as GrantModel from "@zapier-workflow-auth/testing/GrantModel"
import { print, round, say } from "./report.ts"

type ServerName = keyof typeof GrantModel.servers

interface Plan extends Omit<GrantModel.Options, "server"> {
  readonly server: ServerName
  readonly states?: number | undefined
}

const usage = `usage: npm run explore -- [--workers N --faults N] [--calls N] [--server NAME] [--kinds A,B] [--states N]

Without options: the usual explorations, and the broken clients. With --workers and --faults: one exploration.
   --workers N     processes that share the grant
   --faults N      faults that happen at most
   --calls N       calls that each process makes (1)
   --server NAME   ${Object.keys(GrantModel.servers).join(", ")} (strict)
   --kinds A,B     ${GrantModel.kinds.join(", ")} (all)
   --states N      stop after so many states (no limit)
Three workers with two faults of all kinds visit 4.5 million states for each server, and take minutes and 6 GB.`

const serverNames: ReadonlyArray<string> = Object.keys(GrantModel.servers)

const isServer = (name: string): name is ServerName => serverNames.includes(name)

const isKind = (name: string): name is GrantModel.FaultKind =>
  (GrantModel.kinds as ReadonlyArray<string>).includes(name)

/** What has to be visited at least in the usual run. */
const leastStates = 100_000

const usual: ReadonlyArray<Plan> = [
  { workers: 3, faults: 2, kinds: ["crash", "loss", "disconnect"], server: "strict" },
  { workers: 3, faults: 1, server: "strict" },
  { workers: 3, faults: 1, server: "lenient" },
  { workers: 3, faults: 1, server: "graceful" },
  { workers: 2, faults: 2, server: "strict" },
  { workers: 2, faults: 2, server: "lenient" }
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
      options: { workers: text, faults: text, calls: text, server: text, kinds: text, states: text }
    })
    if (Object.keys(values).length === 0) return usual
    const [workers, faults, calls, states] = [values.workers, values.faults, values.calls, values.states].map(optional)
    const server = values.server ?? "strict"
    const kinds = values.kinds?.split(",") ?? GrantModel.kinds
    const isUsable =
      isWhole(workers, 1) && isWhole(faults, 0) && isWhole(calls, 1) && isWhole(states, 1) && kinds.every(isKind)
    if (workers === undefined || faults === undefined || !isUsable || !isServer(server)) return undefined
    return [{ workers, faults, calls, states, kinds: kinds.filter(isKind), server }]
  } catch {
    return undefined
  }
}

const tell = (findings: ReadonlyArray<Explorer.Finding<{ readonly rule: string; readonly what: string }>>) => {
  const [first] = findings
  if (first === undefined) return
  say(`   BROKEN: ${first.violation.rule}: ${first.violation.what}`)
  for (const line of first.trace) say(`      ${line}`)
}

const run = (plan: Plan) => {
  const { faults, kinds, server, workers } = plan
  say(`${workers} workers, ${faults} faults (${kinds?.join(", ") ?? "of all kinds"}), ${server} server`)
  const begun = performance.now()
  const report = Explorer.explore(GrantModel.make({ ...plan, server: GrantModel.servers[server] }), {
    states: plan.states,
    onProgress: (states, depth) => say(`   ${states} states, depth ${depth}`)
  })
  const seconds = round((performance.now() - begun) / 1000, 1)
  say(`   ${report.states} states, ${report.moves} moves, depth ${report.depth}, ${seconds} s`)
  tell(report.findings)
  const { depth, findings, isComplete, moves, states } = report
  return { workers, faults, server, states, moves, depth, isComplete, violations: findings.length, seconds }
}

const isCaught = ({ breaks, client, faults, name, workers }: BrokenVariants.BrokenVariant): boolean => {
  const { findings } = Explorer.explore(GrantModel.make({ workers, faults, client }), {
    isEnough: ({ rule }) => rule === breaks
  })
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
  const checks = plans === usual ? BrokenVariants.all : []
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
