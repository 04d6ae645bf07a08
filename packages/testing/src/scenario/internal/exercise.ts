/** Counts what scenarios exercised: a check says nothing about the rest. */
import type { Connection, History } from "../ScenarioHistory.ts"

/** Counts over all scenarios that kept the rules. */
export interface Counts {
  /** Calls, and how many of them were shown data. */
  readonly calls: number
  readonly served: number
  /** Calls by the connection of the calling user. */
  readonly callsBy: { readonly [connection in Connection]: number }
  /** Codes exchanged for tokens, and refreshes that returned tokens. */
  readonly codes: number
  readonly refreshes: number
  /** Requests with a fault, by target. */
  readonly faults: { readonly exchange: number; readonly refresh: number; readonly api: number }
  /** Callbacks that no user of the app had asked for. */
  readonly forged: number
}

export const make = () => {
  const callsBy = { None: 0, Good: 0, Lost: 0, Wasted: 0, Revoked: 0 }
  const faults = { exchange: 0, refresh: 0, api: 0 }
  const counts = { calls: 0, served: 0, codes: 0, refreshes: 0, forged: 0 }

  return {
    add: ({ exchanges, results }: History) => {
      for (const { action, before, mustWork, shown } of results) {
        if (action === "ComeBack" && !mustWork) counts.forged++
        if (action !== "Call") continue
        counts.calls++
        callsBy[before]++
        if (shown === "Data") counts.served++
      }
      for (const { code, isGranted, hasFault, refreshToken } of exchanges) {
        if (isGranted && code !== undefined) counts.codes++
        if (isGranted && refreshToken !== undefined) counts.refreshes++
        if (hasFault) faults[code === undefined ? (refreshToken === undefined ? "api" : "refresh") : "exchange"]++
      }
    },

    counts: (): Counts => ({ ...counts, callsBy: { ...callsBy }, faults: { ...faults } }),

    missing: (): ReadonlyArray<string> => [
      ...(callsBy.Good === 0 ? ["no call of a connected user"] : []),
      ...(callsBy.None === 0 ? ["no call of a user without a connection"] : []),
      ...(callsBy.Lost + callsBy.Revoked === 0 ? ["no call of a user who has to connect again"] : []),
      ...(counts.codes === 0 ? ["no consent"] : []),
      ...(counts.refreshes === 0 ? ["no refresh"] : []),
      ...(faults.exchange === 0 ? ["no fault of the exchange of a code"] : []),
      ...(faults.refresh === 0 ? ["no fault of a refresh"] : []),
      ...(faults.api === 0 ? ["no fault of a call"] : []),
      ...(counts.forged === 0 ? ["no late, repeated or forged callback"] : [])
    ]
  }
}
