/** What a scenario says: its result as one line of JSON for machines, and words for people beside it. */

/** The result. `passed`: whether it is within its bounds. Counts are exact, and times are of this machine and this run. */
export interface Report {
  readonly scenario: string
  readonly passed: boolean
  readonly [member: string]: unknown
}

export const print = (report: Report) => process.stdout.write(`${JSON.stringify(report)}\n`)

export const say = (text: string) => process.stderr.write(`${text}\n`)

/** Rounded to so many decimals: more digits would only pretend to be exact. */
export const round = (value: number, decimals = 0) => Math.round(value * 10 ** decimals) / 10 ** decimals
