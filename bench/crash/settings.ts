/** What all processes of the crash test agree on. */
import type * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import type * as Settings from "@zapier-workflow-auth/core/Settings"
import * as Duration from "effect/Duration"
import * as FastClock from "../clock.ts"

export const application = {
  clientId: "crash",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/callback"]
} satisfies ClientApplication.Options

/**
 * A process that is killed leaves its leases behind, and nobody may take one over before it ends: a run would mostly wait.
 * So the clock of all processes, the server's included, goes ten times as fast. All that is promised is promised by the
 * clock, and no duration is left out: leases, timeouts, pauses and polls are shorter by the same factor.
 */
export const speed = 10

export const clock = FastClock.fast(speed)

/** As long as that many milliseconds are, by the clock of the crash test. */
export const real = (millis: number) => Duration.millis(millis * speed)

/** How long an access token lives: short, so that nearly every call has to refresh. */
export const accessTokenLifetime = real(300)

const answerTimeout = Duration.toMillis(real(5_000))

export const settings = {
  // A call ends with its request: what a process says of a call is then true of its request.
  requestTimeout: Duration.toMillis(real(60_000)),
  // A request takes milliseconds, and on a busy machine a hundred times as long.
  answerTimeout,
  storeTimeout: Duration.toMillis(real(10_000)),
  // A caller that is given a token while it is renewed would return before its request has ended.
  expiryMargin: 0
} satisfies Settings.Options

/** How long a lease lasts, in milliseconds of the clock. */
export const leaseDuration = answerTimeout + Lease.margin

/** The name of a process, in each request that it sends. */
export const nameHeader = "x-process"
