/** The type of an attack's case, and helpers for cases. */
import type { Site } from "./sites.ts"
import type { Stage } from "./stage.ts"

/** How an attack succeeded, or undefined if it did not. */
export type Seen = string | undefined

export interface Case {
  /** The attacker's goal. */
  readonly wants: string
  /** Tries to reach the goal. An exception means that it could not be tried, which counts as a success. */
  readonly attempt: (stage: Stage) => Promise<Seen>
}

export interface Kind {
  readonly name: string
  readonly cases: ReadonlyArray<Case>
  /** True if the case would disturb others, so that it runs alone. */
  readonly isExclusive?: boolean
}

/** The ordinary sites; `brief` is for expired attempts. */
export const sitesOf = ({ world }: Stage): ReadonlyArray<Site> => [world.sites.proxied, world.sites.local]

/** A case that is tried at each site in parallel. */
export const atEachSite = (wants: string, attempt: (stage: Stage, site: Site) => Promise<Seen>): Case => ({
  wants,
  attempt: async (stage) => {
    const all = await Promise.all(
      sitesOf(stage).map(async (site) => {
        const seen = await attempt(stage, site)
        return seen === undefined ? undefined : `${seen} (${site.name})`
      })
    )
    return all.find((seen) => seen !== undefined)
  }
})

/** The first success. */
export const first = async (...attempts: ReadonlyArray<() => Seen | Promise<Seen>>): Promise<Seen> => {
  for (const attempt of attempts) {
    const seen = await attempt()
    if (seen !== undefined) return seen
  }
  return undefined
}

export const when = (happened: boolean, seen: string): Seen => (happened ? seen : undefined)
