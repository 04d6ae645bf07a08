/** What scenarios came to: a check says nothing of what none of them did. */
import type { Connection, Seen } from "../ScenarioSeen.ts"

/** How often something happened, in all scenarios that kept to the rules. */
export interface Counts {
  /** Calls, and how many of them were shown data. */
  readonly calls: number
  readonly served: number
  /** Calls by the connection of the user who called. */
  readonly callsBy: { readonly [connection in Connection]: number }
  /** Codes that were exchanged for tokens, and refreshes that were answered with tokens. */
  readonly codes: number
  readonly refreshes: number
  /** Requests that were struck by a fault, by where they went. */
  readonly faults: { readonly exchange: number; readonly refresh: number; readonly api: number }
  /** Callbacks that no user of the app had asked for. */
  readonly forged: number
}

export const make = () => {
  const callsBy = { None: 0, Good: 0, Lost: 0, Wasted: 0, Revoked: 0 }
  const faults = { exchange: 0, refresh: 0, api: 0 }
  const counts = { calls: 0, served: 0, codes: 0, refreshes: 0, forged: 0 }

  return {
    add: ({ exchanges, results }: Seen) => {
      for (const { action, before, mustWork, shown } of results) {
        if (action === "ComeBack" && !mustWork) counts.forged++
        if (action !== "Call") continue
        counts.calls++
        callsBy[before]++
        if (shown === "Data") counts.served++
      }
      for (const { code, isGranted, isStruck, refreshToken } of exchanges) {
        if (isGranted && code !== undefined) counts.codes++
        if (isGranted && refreshToken !== undefined) counts.refreshes++
        if (isStruck) faults[code === undefined ? (refreshToken === undefined ? "api" : "refresh") : "exchange"]++
      }
    },

    counts: (): Counts => ({ ...counts, callsBy: { ...callsBy }, faults: { ...faults } }),

    missing: (): ReadonlyArray<string> => [
      ...(callsBy.Good === 0 ? ["no call of a user who is connected"] : []),
      ...(callsBy.None === 0 ? ["no call of a user who is not connected"] : []),
      ...(callsBy.Lost + callsBy.Revoked === 0 ? ["no call of a user who has to connect again"] : []),
      ...(counts.codes === 0 ? ["no consent"] : []),
      ...(counts.refreshes === 0 ? ["no refresh"] : []),
      ...(faults.exchange === 0 ? ["no fault of the exchange of a code"] : []),
      ...(faults.refresh === 0 ? ["no fault of a refresh"] : []),
      ...(faults.api === 0 ? ["no fault of a call"] : []),
      ...(counts.forged === 0 ? ["no callback that is late, repeated or forged"] : [])
    ]
  }
}
