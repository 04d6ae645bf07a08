/**
 * `npm run simulate`: years of an app's life in minutes, once with a lenient server and once with a strict one. Prints
 * one line of JSON, which depends only on the arguments, and exits with 1 if a rule was broken, or a grant was lost
 * that could have been kept. With `--frozen` the processes are functions: see `frozen.ts`.
 */
import { performance } from "node:perf_hooks"
import { parseArgs, type ParseArgsConfig } from "node:util"
import * as Simulation from "@zapier-workflow-auth/testing/Simulation"
import * as Effect from "effect/Effect"
import * as CommandLine from "./commandLine.ts"
import { print, round, say } from "./report.ts"

const { rates } = Simulation

interface Flag {
  readonly says: string
  readonly otherwise: number
  readonly least: number
}

const whole = {
  seed: { says: "seed of all randomness", otherwise: 1, least: 0 },
  grants: { says: "users of the app", otherwise: 1_000, least: 1 },
  days: { says: "length of the simulation", otherwise: 365, least: 1 },
  processes: { says: "of the app, over one store", otherwise: 8, least: 1 },
  grace: { says: "milliseconds in which the lenient server accepts a used refresh token again", otherwise: 0, least: 0 }
} satisfies { readonly [name: string]: Flag }

// The only options of `--frozen`.
const functions = {
  seed: whole.seed,
  grants: { ...whole.grants, otherwise: 100 },
  days: { ...whole.days, otherwise: 30 },
  processes: { ...whole.processes, otherwise: 100 }
}

const often = {
  calls: { says: "for each grant and day", otherwise: rates.calls, least: 0 },
  appCalls: { says: "as the app, for each process and day", otherwise: rates.appCalls, least: 0 },
  clientIdCalls: { says: "with the client id, for each process and day", otherwise: rates.clientIdCalls, least: 0 },
  bursts: { says: "share of calls that several processes make at once", otherwise: rates.bursts, least: 0 },
  lost: {
    says: "share of token requests that are lost, or whose response is lost or too late",
    otherwise: rates.lost,
    least: 0
  },
  slow: {
    says: "share of token requests whose response takes up to a minute",
    otherwise: rates.slow,
    least: 0
  },
  refused: {
    says: "share of token requests that get 429 or 503",
    otherwise: rates.refused,
    least: 0
  },
  crashing: { says: "share of token requests during which the process crashes", otherwise: rates.crashing, least: 0 },
  pausing: {
    says: "share of token requests during which the process is paused",
    otherwise: rates.pausing,
    least: 0
  },
  crashes: { says: "at other times, for each process and day", otherwise: rates.crashes, least: 0 },
  pauses: { says: "of processes at other times, for each process and day", otherwise: rates.pauses, least: 0 },
  clockJumps: { says: "of the clock, for each process and day", otherwise: rates.clockJumps, least: 0 },
  interrupts: { says: "share of calls that are interrupted", otherwise: rates.interrupts, least: 0 },
  storeFailures: {
    says: "share of operations of the stores of tokens that fail or hang",
    otherwise: rates.storeFailures,
    least: 0
  },
  outages: { says: "of all stores, for up to a minute, for each year", otherwise: rates.outages, least: 0 },
  restarts: { says: "rolling restarts of all processes, for each day", otherwise: rates.restarts, least: 0 },
  secrets: { says: "new client secrets, for each year", otherwise: rates.secrets, least: 0 },
  revocations: { says: "by the user at Zapier, for each grant and year", otherwise: rates.revocations, least: 0 },
  disconnects: { says: "by the app, for each grant and year", otherwise: rates.disconnects, least: 0 },
  consents: { says: "again while connected, for each grant and year", otherwise: rates.consents, least: 0 },
  endedTokens: {
    says: "access tokens that end early, for each grant and year, and the app's own",
    otherwise: rates.endedTokens,
    least: 0
  }
} satisfies { readonly [name in Exclude<keyof Simulation.Rates, "frozenKills">]: Flag }

const toFlag = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

const help = [
  "usage: npm run simulate -- [--grants N] [--days N] [--processes N] [--seed N] ...",
  "   or: npm run simulate -- --frozen [--grants 100] [--days 30] [--processes 100] [--seed 1]",
  "",
  ...Object.entries({ ...whole, ...often }).map(
    ([name, { otherwise, says }]) => `  --${toFlag(name).padEnd(14)} ${says} (${otherwise})`
  )
].join("\n")

const options: NonNullable<ParseArgsConfig["options"]> = { help: { type: "boolean" }, frozen: { type: "boolean" } }
for (const name of Object.keys({ ...whole, ...often })) options[toFlag(name)] = { type: "string" }

// Parses the arguments; undefined if they are invalid.
const parse = (args: ReadonlyArray<string>) => {
  try {
    const { values } = parseArgs({ args: [...args], options })
    if (values["help"] === true) return "help"
    const read = (name: string, { least, otherwise }: Flag) => {
      const given = values[toFlag(name)]
      const number = given === undefined ? otherwise : Number(given === "" ? Number.NaN : given)
      if (!Number.isFinite(number) || number < least) throw new Error(`--${toFlag(name)}`)
      return number
    }
    const readAll = <Name extends string>(flags: { readonly [name in Name]: Flag }) =>
      Object.fromEntries(Object.entries<Flag>(flags).map(([name, flag]) => [name, read(name, flag)])) as {
        readonly [name in Name]: number
      }
    if (values["frozen"] === true) {
      const sizes = readAll(functions)
      const isSized = Object.keys(values).every((name) => name === "frozen" || Object.hasOwn(functions, name))
      return isSized && Object.values(sizes).every(Number.isInteger) ? { functions: sizes } : undefined
    }
    const sizes = readAll(whole)
    return Object.values(sizes).every(Number.isInteger) ? { sizes, rates: readAll(often) } : undefined
  } catch {
    return undefined
  }
}

process.exitCode = await CommandLine.run(help, parse, async (asked) => {
  if ("functions" in asked) return (await import("./frozen.ts")).run(asked.functions)
  const { grace, ...sizes } = asked.sizes
  const servers = {
    lenient: { reuseRevokesGrant: false, refreshEndsAccessToken: false, graceMillis: grace },
    strict: {}
  } as const

  const simulate = async (name: keyof typeof servers) => {
    const begun = performance.now()
    const every = Math.max(1, Math.round(sizes.days / 10))
    const { rulesBroken, violations, ...report } = await Effect.runPromise(
      Simulation.run({
        ...sizes,
        rates: asked.rates,
        server: servers[name],
        onDay: (day) => {
          if (day % every === 0) say(`${name}: day ${day} after ${round((performance.now() - begun) / 1_000)} s`)
        }
      })
    )
    for (const { after, observed, rule, subject } of violations)
      say(`${name}: ${rule}: ${observed} (${subject}, after ${after} ms)`)
    if (report.grantsLostNeedlessly > 0) say(`${name}: ${report.grantsLostNeedlessly} grants were lost needlessly`)
    const { calls, tokenRequests, leastTokenRequests } = report
    const seconds = round((performance.now() - begun) / 1_000)
    say(`${name}: ${calls} calls in ${seconds} s, ${report.grantsLost} grants lost, ${rulesBroken} rules broken`)
    return { ...report, violations: rulesBroken, ratio: round(tokenRequests / Math.max(1, leastTokenRequests), 4) }
  }

  const lenient = await simulate("lenient")
  const strict = await simulate("strict")
  const passed = [lenient, strict].every(
    ({ grantsLost, grantsLostNeedlessly, grantsUnrecoverable, violations }) =>
      violations === 0 && grantsLostNeedlessly === 0 && grantsLost === grantsUnrecoverable
  )
  print({ scenario: "simulate", passed, ...sizes, grace, rates: asked.rates, lenient, strict })
  return passed ? 0 : 1
})
