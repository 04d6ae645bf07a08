/** The fake that all processes share, and the operations on it from outside. */
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as HashMap from "effect/HashMap"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as FakeControl from "../../fake/FakeControl.ts"
import type { FakeRequest } from "../../fake/FakeHttp.ts"
import * as FakeServer from "../../fake/FakeServer.ts"
import * as FakeState from "../../fake/FakeState.ts"
import * as Lookup from "../../fake/internal/lookup.ts"
import type { Trace } from "./trace.ts"
import type { Timeline } from "../../internal/timeline.ts"

const redirectUri = "https://app.example/callback"

export const refreshTokenOf = (state: UserGrant.State) =>
  state._tag === "Absent" || state.tokens.refreshToken === undefined
    ? undefined
    : Redacted.value(state.tokens.refreshToken)

export const make = (
  timeline: Timeline,
  options: {
    readonly seed: string
    readonly settings: Partial<FakeState.Settings> | undefined
    readonly users: ReadonlyArray<{ readonly name: string; readonly email: string }>
    readonly trace?: Trace | undefined
  }
) => {
  const users = options.users.map(({ email, name }) => ({ email, firstName: name, lastName: "Example" }))
  // Rate limits only on request: all processes share one address, with a thousand users.
  const settings = { rateLimits: false, ...options.settings }
  let [app, state] = Result.getOrThrow(
    FakeControl.registerApp(FakeState.make({ seed: options.seed, settings, users }), {
      name: "App",
      redirectUris: [redirectUri]
    })
  )
  let configured = app
  let enrollments = 0

  return {
    state: () => state,
    settings: () => state.settings,
    graceMillis: () => state.settings.graceMillis,

    /** The app's configuration, which gets a new secret later. */
    application: () => configured,

    handle: (request: FakeRequest) => {
      const handled = FakeServer.handle(state, request, timeline.now())
      state = handled.state
      if (handled.issued !== undefined) options.trace?.({ _tag: "Acted", issued: handled.issued })
      return handled.response
    },

    /** True if the server would still accept the refresh token. */
    isAlive: (grant: UserGrant.State) => {
      const refreshToken = refreshTokenOf(grant)
      return refreshToken !== undefined && Lookup.isAlive(state, refreshToken, timeline.now())
    },

    /** The id of a refresh token's grant, even if the grant is gone. */
    grantIdOf: (refreshToken: string) => Lookup.grantIdOf(state, refreshToken),

    /** The ids of a user's existing grants. */
    grantIdsOf: (userId: number) =>
      Array.from(HashMap.values(state.grants))
        .filter((grant) => grant.userId === userId)
        .map(({ id }) => id),

    /** True if a refresh token belongs to an existing grant. */
    isOfGrant: (refreshToken: string | undefined) =>
      refreshToken !== undefined && Lookup.refreshToken(state, refreshToken, timeline.now()) !== undefined,

    /** A user allows the request of the URL. Returns the callback and its code. */
    approve: (url: string, user: string) => {
      const [callback, next] = Result.getOrThrow(FakeControl.approve(state, url, { user }, timeline.now()))
      state = next
      return { callback, code: new URL(callback).searchParams.get("code") ?? "" }
    },

    /** Enrolls a user in a promotion, so that the app can end it. */
    enroll: () => {
      const id = `enrollment-${++enrollments}`
      const made: FakeState.Enrollment = {
        id,
        promotionId: "promotion",
        clientId: app.clientId,
        userId: state.users[0]?.id ?? 0,
        enrolledAt: timeline.now()
      }
      state = { ...state, enrollments: HashMap.set(state.enrollments, id, made) }
      return id
    },

    revoke: (user: string) => {
      state = Result.getOrThrow(FakeControl.revoke(state, { clientId: app.clientId, user }))
    },

    endAccessToken: (accessToken: string) => {
      state = FakeControl.endAccessToken(state, accessToken)
    },

    /** The app is configured with the new secret this many milliseconds later. */
    regenerateSecret: (noticed: number) => {
      const [renewed, next] = Result.getOrThrow(FakeControl.regenerateSecret(state, app.clientId))
      app = renewed
      state = next
      timeline.after(noticed, () => {
        configured = app
      })
    }
  }
}

export type Server = ReturnType<typeof make>
