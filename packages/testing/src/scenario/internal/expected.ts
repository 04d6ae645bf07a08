/** The limits that an app may choose, and their defaults. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Duration from "effect/Duration"
import type { Expects } from "../ScenarioApp.ts"
import type { Expected } from "../ScenarioHistory.ts"

// Endpoints that create something at each call. Choices, tests and fields only read.
const creating = Endpoint.names.filter(
  (name) => name.startsWith("POST ") && !/\/(inputs|outputs|choices|test|enable|guess)/.test(name)
)

const millis = (given: Duration.Input | undefined, otherwise: number) =>
  given === undefined ? otherwise : Duration.toMillis(Duration.fromInputUnsafe(given))

export const of = (given: Expects = {}): Expected => ({
  recoversWithin: millis(given.recoversWithin, 600_000),
  showsOldFor: millis(given.showsOldFor, 300_000),
  // As long as the library itself trusts its memory.
  disconnectWithin: millis(given.disconnectWithin, 60_000),
  expiryMargin: given.expiryMargin === undefined ? undefined : millis(given.expiryMargin, 0),
  scopes: given.scopes,
  otherBrowsers: given.otherBrowsers ?? false,
  hosts: given.hosts ?? [],
  once: given.once ?? creating
})
