/** What all processes of the crash test agree on. */
import type * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import type * as Settings from "@zapier-workflow-auth/core/Settings"

export const application = {
  clientId: "crash",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/callback"]
} satisfies ClientApplication.Options

/** How long an access token lives, in milliseconds: short, so that nearly every call has to refresh. */
export const accessTokenLifetime = 300

/**
 * Whoever is killed leaves its leases behind, and nobody may take one over before it ends. With the defaults of 20 and 30
 * seconds a run would mostly wait. A request takes milliseconds, and on a busy machine a hundred times as long.
 */
export const settings = {
  requestTimeout: 5_000,
  leaseDuration: 10_000,
  // Who is given a token while it is renewed in the background would return before its flight has landed.
  expiryMargin: 0
} satisfies Settings.Options

/** The name of a process, in each request that it sends. */
export const nameHeader = "x-process"
