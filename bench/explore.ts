/**
 * `npm run explore`: visits every state that a user's grant and the app's token can reach, and checks the rules with
 * mutants that break one each. Prints a line for each of the two. Exits with 1 if a rule is broken, a mutant is not
 * caught, or too little was visited. `--page` draws the findings.
 */
import { writeFileSync } from "node:fs"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import { parseArgs } from "node:util"
import * as Diagram from "@zapier-workflow-auth/testing/Diagram"
import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
import * as Model from "@zapier-workflow-auth/testing/explorer/Model"
import * as Mutants from "@zapier-workflow-auth/testing/explorer/Mutants"
import { print, round, say } from "./report.ts"

type ServerName = keyof typeof Model.servers

interface Plan {
  readonly mode: Model.Mode
  readonly callers: ReadonlyArray<number>
  readonly faults: number
  readonly kinds?: ReadonlyArray<Model.FaultKind>
  readonly server: ServerName
  readonly beginnings?: ReadonlyArray<Model.Beginning>
  readonly states?: number | undefined
}

const usage = `usage: npm run explore -- [--callers N,N --faults N] [--mode MODE] [--server NAME] [--kinds A,B] [--from A,B] [--states N] [--page FILE]
       npm run explore -- --mutant NAME [--mode MODE] [--page FILE]

Without options: the usual explorations, and the mutants. With --callers and --faults: one exploration.
   --callers N,N   processes that share the token, each with so many callers: 2,1 are two processes
   --faults N      faults that happen at most
   --mode MODE     whose token it is: user, app (user)
   --server NAME   of a user: ${Object.keys(Model.servers).join(", ")} (strict)
   --kinds A,B     of a user: ${Model.kinds.user.join(", ")} (all)
                   of an app: ${Model.kinds.app.join(", ")} (all)
   --from A,B      the initial state of the token: ${Model.beginnings.join(", ")} (each of them)
   --states N      stop after so many states (no limit)
   --mutant NAME   the shortest way to what that mutant breaks: a part of its name is enough, if no other has it
   --page FILE     draw the first violation that is found as a page of HTML`

interface Asked {
  readonly plans: ReadonlyArray<Plan>
  readonly mutant: Mutants.Mutant | undefined
  /** The path of the page. */
  readonly page: string | undefined
}

const serverNames: ReadonlyArray<string> = Object.keys(Model.servers)

const beginningNames: ReadonlyArray<string> = Model.beginnings

const isBeginning = (name: string): name is Model.Beginning => beginningNames.includes(name)

const isServer = (name: string): name is ServerName => serverNames.includes(name)

/** The least number of states in the usual run. */
const leastStates = 100_000

/** Slowest first, because two are explored in parallel. One process has two callers in each. */
const usual: ReadonlyArray<Plan> = [
  // The two largest are explored in parallel.
  { mode: "user", callers: [2, 1], faults: 2, server: "strict", beginnings: ["due"] },
  { mode: "user", callers: [2, 1], faults: 2, server: "strict", beginnings: ["expired", "rejected", "new"] },
  { mode: "app", callers: [2, 1], faults: 2, server: "strict" },
  { mode: "app", callers: [2, 1, 1], faults: 1, server: "strict" },
  { mode: "user", callers: [2, 1, 1], faults: 2, kinds: ["crash", "loss", "disconnect"], server: "strict" },
  { mode: "user", callers: [2, 1, 1], faults: 1, server: "strict" },
  { mode: "user", callers: [2, 1], faults: 1, server: "lenient" },
  { mode: "user", callers: [2, 1], faults: 1, server: "graceful" }
]

const isWhole = (number: number | undefined, least: number) =>
  number === undefined || (Number.isSafeInteger(number) && number >= least)

// The mutant with this name, or the only one whose name contains it.
const mutantOf = (name: string, mode: string | undefined): Mutants.Mutant | undefined => {
  const all = Mutants.all.filter(({ client }) => mode === undefined || client.mode === mode)
  const found = all.filter((mutant) => mutant.name.includes(name))
  const [mutant, ...others] = found.some((one) => one.name === name) ? found.filter((one) => one.name === name) : found
  if (mutant !== undefined && others.length === 0) return mutant
  say(`${found.length === 0 ? "No mutant has this in its name" : "Several mutants have this in their names"}:`)
  for (const { client, name } of found.length === 0 ? all : found) say(`   ${client.mode}: ${name}`)
  return undefined
}

// Parses the options; undefined if they are invalid.
const parse = (args: ReadonlyArray<string>): Asked | undefined => {
  try {
    const text = { type: "string" } as const
    const { values } = parseArgs({
      args: [...args],
      options: {
        callers: text,
        faults: text,
        from: text,
        kinds: text,
        mode: text,
        mutant: text,
        page: text,
        server: text,
        states: text
      }
    })
    const { mutant: name, page, ...others } = values
    const isUsual = Object.keys(others).length === 0
    if (name !== undefined) {
      const isOnlyMode = Object.keys(others).every((option) => option === "mode")
      const mutant = isOnlyMode ? mutantOf(name, values.mode) : undefined
      return mutant && { plans: [], mutant, page }
    }
    if (isUsual) return { plans: usual, mutant: undefined, page }
    const { mode = "user", server = "strict" } = values
    if ((mode !== "user" && mode !== "app") || !isServer(server) || (mode === "app" && values.server !== undefined)) {
      return undefined
    }
    const callers = values.callers?.split(",").map(Number) ?? []
    const faults = Number(values.faults)
    const states = values.states === undefined ? undefined : Number(values.states)
    const known: ReadonlyArray<string> = Model.kinds[mode]
    const isKind = (name: string): name is Model.FaultKind => known.includes(name)
    const kinds = values.kinds?.split(",") ?? Model.kinds[mode]
    const beginnings = values.from?.split(",") ?? Model.beginnings
    const isUsable = callers.length > 0 && callers.every((count) => isWhole(count, 1)) && isWhole(faults, 0)
    if (!isUsable || !isWhole(states, 1) || !kinds.every(isKind) || !beginnings.every(isBeginning)) return undefined
    return { plans: [{ mode, callers, faults, server, kinds, beginnings, states }], mutant: undefined, page }
  } catch {
    return undefined
  }
}

const titleOf = ({ beginnings, callers, faults, kinds, mode, server }: Plan) => {
  const what = `${callers.join(" + ")} callers, ${faults} faults (${kinds?.join(", ") ?? "of all kinds"})`
  const where = mode === "user" ? `, ${server} server` : ""
  const when = beginnings === undefined ? "" : `, where the token is ${beginnings.join(" or ")}`
  return `${mode}: ${what}${where}${when}`
}

const run = (plan: Plan) => {
  const options = { ...plan, server: Model.servers[plan.server], client: Model.library(plan.mode) }
  const title = titleOf(plan)
  const { beginnings, callers, faults, mode, server, states: limit } = plan
  say(title)
  const begun = performance.now()
  const report = Explorer.explore(Model.make(options), {
    // Depth first: not the shortest trace, but room for millions of states.
    order: "depth",
    states: limit,
    onProgress: (states, depth) => say(`   ${title}: ${states} states, depth ${depth}`)
  })
  const seconds = round((performance.now() - begun) / 1000, 1)
  const megabytes = round(process.memoryUsage().rss / 1e6)
  say(`   ${title}: ${report.states} states, ${report.moves} moves, ${seconds} s`)
  tell(report.findings)
  const { depth, findings, isComplete, moves, states } = report
  const violations = findings.length
  const [first] = findings
  return {
    result: {
      mode,
      callers,
      faults,
      server,
      beginnings,
      states,
      moves,
      depth,
      isComplete,
      violations,
      seconds,
      megabytes
    },
    page: first && Diagram.html(Model.page(options, first))
  }
}

const tell = (findings: ReadonlyArray<Explorer.Finding>) => {
  const [first] = findings
  if (first === undefined) return
  say(`   BROKEN: ${first.violation.rule}: ${first.violation.observed}`)
  for (const line of first.trace) say(`      ${line}`)
}

const findingOf = (mutant: Mutants.Mutant): Explorer.Finding | undefined => {
  const { findings } = Explorer.explore(Model.make(mutant), { isEnough: ({ rule }) => rule === mutant.breaks })
  const found = findings.find(({ violation }) => violation.rule === mutant.breaks)
  say(`   ${found === undefined ? "MISSED" : `caught in ${found.trace.length} moves`}: ${mutant.name}`)
  return found
}

const isCaught = (mutant: Mutants.Mutant): boolean => findingOf(mutant) !== undefined

const write = (file: string | undefined, page: string | undefined) => {
  if (file === undefined) return
  if (page !== undefined) writeFileSync(file, page)
  say(page === undefined ? `   no rule is broken, so ${file} was not written` : `   drawn in ${file}`)
}

const tryMutant = (mutant: Mutants.Mutant, file: string | undefined): number => {
  const finding = findingOf(mutant)
  if (finding !== undefined) tell([finding])
  write(file, finding && Diagram.html(Model.page(mutant, finding)))
  return finding === undefined ? 1 : 0
}

type Exploration = ReturnType<typeof run>["result"]

const atATime = 2

// Each in its own thread, whose memory is released at the end.
const inThread = (plan: Plan): Promise<ReturnType<typeof run>> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: plan,
      resourceLimits: { maxOldGenerationSizeMb: 7_000 }
    })
    worker.once("message", resolve)
    worker.once("error", reject)
  })

const runAll = async (plans: ReadonlyArray<Plan>): Promise<ReadonlyArray<ReturnType<typeof run>>> => {
  const explorations: Array<ReturnType<typeof run>> = []
  const waiting = [...plans.entries()]
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, plan] = next
      explorations[index] = await inThread(plan)
    }
  }
  await Promise.all(Array.from({ length: atATime }, work))
  return explorations
}

// A line for each model: a user's grant, and the app's token.
const sumUp = (
  mode: Model.Mode,
  explorations: ReadonlyArray<Exploration>,
  brokenVariants: number,
  caughtVariants: number,
  isUsual: boolean
) => {
  const sum = (member: "states" | "violations") => explorations.reduce((all, one) => all + one[member], 0)
  const [states, violations] = [sum("states"), sum("violations")]
  const isComplete = explorations.every((exploration) => exploration.isComplete)
  const isEnough = !isUsual || (isComplete && states >= leastStates)
  const passed = violations === 0 && caughtVariants === brokenVariants && isEnough
  const counts = { states, violations, brokenVariants, caughtVariants }
  const result = { scenario: "explore", mode, passed, isComplete, ...counts, explorations }
  print(result)
  return result
}

const main = async (args: ReadonlyArray<string>): Promise<number> => {
  const asked = parse(args)
  if (asked === undefined) {
    say(usage)
    return 2
  }
  const { mutant, page, plans } = asked
  if (mutant !== undefined) return tryMutant(mutant, page)
  const explored = await runAll(plans)
  const explorations = explored.map(({ result }) => result)
  write(page, explored.find((one) => one.page !== undefined)?.page)
  const modes = new Set(plans.map(({ mode }) => mode))
  const results = Array.from(modes, (mode) => {
    const own = explorations.filter((exploration) => exploration.mode === mode)
    const mutants = plans === usual ? Mutants.all.filter(({ client }) => client.mode === mode) : []
    if (mutants.length > 0) say(`${mode}: mutants`)
    return sumUp(mode, own, mutants.length, mutants.filter(isCaught).length, plans === usual)
  })
  return results.every(({ passed }) => passed) ? 0 : 1
}

// Stack traces are off, because millions of errors are created as results for callers.
Error.stackTraceLimit = 0

if (isMainThread) process.exitCode = await main(process.argv.slice(2))
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
else parentPort?.postMessage(run(workerData as Plan))
