/** The output of a scenario: its result as one line of JSON, and text for people beside it. */

/** The result. `passed`: true if it is within its bounds. Counts are exact; times are of this machine and run. */
export interface Report {
  readonly scenario: string
  readonly passed: boolean
  readonly [member: string]: unknown
}

export const print = (report: Report) => process.stdout.write(`${JSON.stringify(report)}\n`)

export const say = (text: string) => process.stderr.write(`${text}\n`)

/** Rounds to this many decimals, because more would pretend to be exact. */
export const round = (value: number, decimals = 0) => Math.round(value * 10 ** decimals) / 10 ** decimals
