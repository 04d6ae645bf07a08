/** What a case of an attack is, and what many cases ask. */
import type { Site } from "./sites.ts"
import type { Stage } from "./stage.ts"

/** How an attack succeeded, and nothing if it did not. */
export type Seen = string | undefined

export interface Case {
  /** What the attacker wants. */
  readonly wants: string
  /** Tries to get it. An exception means that it could not be tried, which counts as a success. */
  readonly attempt: (stage: Stage) => Promise<Seen>
}

export interface Kind {
  readonly name: string
  readonly cases: ReadonlyArray<Case>
  /** Whether a case would disturb the others, so that they are tried one after the other. */
  readonly isExclusive?: boolean
}

/** The sites that people use: `brief` is for those who come late. */
export const sitesOf = ({ world }: Stage): ReadonlyArray<Site> => [world.sites.proxied, world.sites.local]

/** A case that is tried at each site, at the same time. */
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

/** The first that was seen. */
export const first = async (...attempts: ReadonlyArray<() => Seen | Promise<Seen>>): Promise<Seen> => {
  for (const attempt of attempts) {
    const seen = await attempt()
    if (seen !== undefined) return seen
  }
  return undefined
}

export const when = (happened: boolean, seen: string): Seen => (happened ? seen : undefined)
