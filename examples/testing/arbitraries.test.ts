import { expect, it } from "@effect/vitest"
import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Arbitraries from "@zapier-workflow-auth/testing/Arbitraries"
import * as Result from "effect/Result"

// The app under test: its callback route, its text for a grant, and its text for an error.
const route = (input: AuthorizationCallback.Input) =>
  Result.match(AuthorizationCallback.parse(input), { onSuccess: () => 302, onFailure: () => 400 })

const badge = (grant: UserGrant.State) =>
  ({ Absent: "off", Active: "on", Refreshing: "on", ReconnectRequired: "needs you" })[grant._tag]

const advice = (error: ZapierAuthError) => (error.needsReconnect ? "Connect again" : error.message)

it.prop("takes every callback", { callback: Arbitraries.callback }, ({ callback }) => {
  expect(route(callback.input)).toBe(302)
})

it.prop("refuses what is none", { input: Arbitraries.invalidCallback }, ({ input }) => {
  expect(route(input)).toBe(400)
})

// A schema works as well.
it.prop(
  "shows every grant, and says something of every error",
  [UserGrant.State, ZapierAuthError],
  ([grant, error]) => {
    expect(badge(grant)).toBeTypeOf("string")
    expect(advice(error)).not.toBe("")
  }
)
