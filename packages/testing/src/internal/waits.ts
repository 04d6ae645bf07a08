/** The waiting times of programs and scenarios. */

/**
 * Waiting times, in milliseconds. Those named after a timeout of the library are a little longer than it.
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
  /** Enough for an app to recover from a short outage. */
  recovery: 1_200_000,
  hour: 3_600_000,
  untilDue: 35_700_000,
  lifetime: 36_000_000
} as const

/**
 * The name of a waiting time.
 *
 * @since 0.1.0
 */
export type WaitTime = keyof typeof waits
