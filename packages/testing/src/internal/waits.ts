/** How long steps of programs and scenarios wait. */

/**
 * Times to wait, in milliseconds. Those that are named for a time-out of the library are a little longer.
 *
 * @since 0.1.0
 */
export const waits = {
  moment: 250,
  second: 1_000,
  seconds: 8_000,
  timeout: 20_500,
  listening: 60_500,
  lease: 91_000,
  minutes: 300_000,
  /** An app has recovered from a short outage. */
  recovery: 1_200_000,
  hour: 3_600_000,
  untilDue: 35_700_000,
  lifetime: 36_000_000
} as const

/**
 * The name of such a time.
 *
 * @since 0.1.0
 */
export type WaitTime = keyof typeof waits
