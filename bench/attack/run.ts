/** Runs the cases, and counts the results. */
import * as Effect from "effect/Effect"
import type { Case, Kind } from "./case.ts"
import { kinds } from "./kinds.ts"
import * as Sites from "./sites.ts"
import { Stage } from "./stage.ts"
import * as World from "./world.ts"

export interface Tally {
  readonly kind: string
  readonly cases: number
  readonly defended: number
}

export interface Report {
  readonly tallies: ReadonlyArray<Tally>
  /** Each attack that succeeded: its goal, and the evidence. */
  readonly successes: ReadonlyArray<string>
}

export interface Asked extends World.Options {
  /** Only kinds whose names begin with this text. */
  readonly only?: string | undefined
  /** Called after each kind. */
  readonly onKind?: ((tally: Tally) => void) | undefined
}

/** Secrets shared by all cases. */
const sharedSecrets = async ({ zapier }: World.World): Promise<ReadonlyMap<string, string>> => {
  const issued = await zapier.fake.issued()
  return new Map([
    ...Sites.secrets.map((secret) => [secret, "the client secret"] as const),
    ...[...zapier.verifiers].map((verifier) => [verifier, "a code verifier"] as const),
    ...issued.flatMap(({ accessToken, refreshToken }) => [
      [accessToken, "an access token"] as const,
      [refreshToken ?? "", "a refresh token"] as const
    ])
  ])
}

// Stops after the app ceased to respond, because each further case would wait for it.
const mostOverdue = 3

const attempt = async ({ attempt }: Case, stage: Stage) => {
  if (stage.world.overdue.length >= mostOverdue) return "it was not tried, because the apps no longer respond"
  try {
    return await attempt(stage)
  } catch (cause) {
    return `it could not be tried: ${cause instanceof Error ? cause.message : typeof cause}`
  }
}

// Cases run in parallel, because each has its own users.
const atATime = 8

const runKind = async (world: World.World, { cases, isExclusive = false, name }: Kind) => {
  const tried = cases.map((one) => ({ one, stage: new Stage(world) }))
  const seen = new Map<Case, string>()
  const left = tried.values()
  const work = async () => {
    for (const { one, stage } of left) {
      const success = await attempt(one, stage)
      if (success !== undefined) seen.set(one, success)
    }
  }
  await Promise.all(Array.from({ length: isExclusive ? 1 : atATime }, work))
  const successes = cases.flatMap((one) => {
    const success = seen.get(one)
    return success === undefined ? [] : [`${name}: ${one.wants}: ${success}`]
  })
  const shared = await sharedSecrets(world)
  const shown = tried.flatMap(({ one, stage }) => {
    const leak = stage.leak(shared)
    return leak === undefined ? [] : [`${leak} (${one.wants})`]
  })
  const leak = shown.length === 0 ? [] : [`secrets in responses: to ${name}: ${shown.join(", ")}`]
  return { successes, leak }
}

/** The final checks. */
const aftermath: Kind = {
  name: "afterwards",
  isExclusive: true,
  cases: [
    {
      wants: "the app on Express to have ended",
      attempt: async ({ world }) => (world.express.isAlive() ? undefined : "it has")
    },
    {
      wants: "a secret in the logs of the apps",
      attempt: async ({ world }) => {
        const said = world.said()
        const secrets = [...world.secrets, ...(await sharedSecrets(world))]
        return secrets.find(([secret]) => secret !== "" && said.includes(secret))?.[1]
      }
    },
    {
      wants: "real logins to fail",
      attempt: async (stage) => {
        const { express, sites } = stage.world
        for (const site of [sites.proxied, sites.local]) {
          const user = stage.user("ada")
          await stage.connect(stage.browser(site, user))
          if (!(await stage.isConnected(site, user))) return `nobody is connected at ${site.name}`
        }
        for (const door of express.doors) {
          const user = stage.user("ada")
          await stage.connect(stage.browser(door, user), "/connect")
          if (!(await stage.isConnected(door, user))) return `nobody is connected at ${door.name}`
        }
        return undefined
      }
    },
    {
      wants: "anything to be sent to a server that is not Zapier",
      attempt: async ({ world }) => world.zapier.trapped[0]
    }
  ]
}

const tryAll = async (world: World.World, asked: Asked): Promise<Report> => {
  const { only = "", onKind = () => {} } = asked
  const chosen = kinds.filter(({ name }) => name.startsWith(only))
  const tallies: Array<Tally> = []
  const all: Array<string> = []
  const count = (kind: string, cases: number, successes: ReadonlyArray<string>) => {
    const tally = { kind, cases, defended: cases - successes.length }
    tallies.push(tally)
    all.push(...successes)
    onKind(tally)
  }
  const leaks: Array<string> = []
  for (const kind of [...chosen, aftermath]) {
    const { leak, successes } = await runKind(world, kind)
    count(kind.name, kind.cases.length, successes)
    leaks.push(...leak)
  }
  // The search through each kind's responses is a case of its own.
  count("secrets in responses", chosen.length + 1, leaks)
  return { tallies, successes: all }
}

export const run = (asked: Asked): Promise<Report> =>
  Effect.runPromise(
    Effect.scoped(Effect.flatMap(World.make(asked), (world) => Effect.promise(() => tryAll(world, asked))))
  )
