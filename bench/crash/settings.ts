/** Settings that all processes of the crash test share. */
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
 * A killed process leaves its leases behind, and others have to wait for their end, which would take most of a run. So
 * the clock of all processes, including the server's, runs ten times as fast. The library's guarantees depend only on
 * this clock: leases, timeouts, pauses and polls are shorter by the same factor.
 */
export const speed = 10

export const clock = FastClock.fast(speed)

/** A duration of this many milliseconds by the clock of the crash test. */
export const real = (millis: number) => Duration.millis(millis * speed)

/** The lifetime of an access token: short, so that nearly every call has to refresh. */
export const accessTokenLifetime = real(300)

const responseTimeout = Duration.toMillis(real(5_000))

export const settings = {
  // A call ends with its request, so that what a process reports about a call also holds for its request.
  requestTimeout: Duration.toMillis(real(60_000)),
  // A request takes milliseconds, and on a busy machine a hundred times as long.
  responseTimeout,
  storeTimeout: Duration.toMillis(real(10_000)),
  // A caller that got a token during a refresh would return before its request has ended.
  expiryMargin: 0
} satisfies Settings.Options

/** How long a lease lasts, in milliseconds of the clock. */
export const leaseDuration = responseTimeout + Lease.margin

/** The name of a process, sent with each request. */
export const nameHeader = "x-process"
