import { describe, expect, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Tokens from "../../src/oauth/Tokens.ts"
import type * as Pause from "../../src/machine/Pause.ts"
import * as UserGrant from "../../src/machine/UserGrant.ts"
import { stepOf } from "../utils/MachineLaws.ts"

const responseTimeout = 60_000
const leaseDuration = 90_000
const lifetime = 36_000_000
const step = stepOf(UserGrant.machine({ responseTimeout, expiryMargin: 300_000 }))

// What two processes do with one grant. An outcome is that of what the process presented last, whenever that was.
const Step = Schema.Struct({
  by: Schema.Literals(["a", "b"]),
  does: Schema.Literals([
    "request",
    "reject",
    "succeed",
    "replace",
    "refuse",
    "lose",
    "break",
    "fail",
    "consent",
    "disconnect"
  ]),
  after: Schema.Literals([0, 1_000, responseTimeout, leaseDuration, lifetime])
})

type Send = Extract<UserGrant.Command, { readonly _tag: "SendRefreshToken" }>

const tokensAt = (now: number, index: number): Tokens.Tokens => ({
  accessToken: Tokens.secret(`access-${index}`),
  refreshToken: Tokens.secret(`refresh-${index}`),
  scopes: ["zap"],
  obtainedAt: now,
  expiresAt: now + lifetime
})

/** Runs a program, and shows `check` every step of it. */
const run = (
  program: ReadonlyArray<typeof Step.Type>,
  check: (change: {
    readonly before: UserGrant.State
    readonly event: UserGrant.Event
    readonly after: UserGrant.State
    readonly commands: ReadonlyArray<UserGrant.Command>
    readonly now: number
  }) => void
) => {
  let state: UserGrant.State = UserGrant.absent
  let now = 1_000_000
  let issued = 0
  const sent = new Map<string, Send>()

  const eventOf = ({ by, does }: typeof Step.Type): UserGrant.Event | undefined => {
    switch (does) {
      case "request":
        return { _tag: "AccessTokenRequested", owner: by }
      case "reject":
        return state._tag === "Absent"
          ? undefined
          : { _tag: "AccessTokenRejected", family: state.family, generation: state.generation, owner: by }
      case "consent":
        return { _tag: "ConsentGranted", family: `consent-${++issued}`, tokens: tokensAt(now, issued) }
      case "disconnect":
        return { _tag: "Disconnected" }
      default: {
        const command = sent.get(by)
        if (command === undefined) return undefined
        const { generation, family } = command
        const about = { family, generation, owner: by }
        if (does === "succeed") return { _tag: "RefreshSucceeded", ...about, tokens: tokensAt(now, ++issued) }
        if (does === "replace") {
          const failure: Pause.Failure = { cause: { _tag: "Malformed", status: 200, problem: "no access token" } }
          const refreshToken = Tokens.secret(`refresh-${++issued}`)
          return { _tag: "RefreshTokenReplaced", ...about, refreshToken, failure }
        }
        if (does === "refuse") return { _tag: "RefreshRefused", ...about }
        if (does === "lose" || does === "break") {
          return { _tag: "RefreshOutcomeUnknown", ...about, isAwaited: does === "break" }
        }
        return {
          _tag: "RefreshFailed",
          ...about,
          mayHaveRotated: false,
          failure: { cause: { _tag: "Unavailable", status: 503 } }
        }
      }
    }
  }

  for (const doing of program) {
    now += doing.after
    const event = eventOf(doing)
    if (event === undefined) continue
    const { commands, state: after } = step(state, event, now)
    check({ before: state, event, after, commands, now })
    const send = commands.find((command) => command._tag === "SendRefreshToken")
    if (send !== undefined) sent.set(doing.by, send)
    state = after
  }
}

const renewalOf = (state: UserGrant.State) =>
  state._tag === "Absent" || state.tokens.refreshToken === undefined
    ? undefined
    : Redacted.value(state.tokens.refreshToken)

const textOf = (state: UserGrant.State) =>
  state._tag === "Absent" ? undefined : Redacted.value(state.tokens.accessToken)

const settings = { arbitrary: { runs: 1_000, size: 40 } }
const program = Schema.Array(Step)

describe("UserGrant, in any program of two processes", () => {
  it.prop(
    "only new tokens make a new generation, and each is one higher",
    { program },
    ({ program }) =>
      run(program, ({ after, before, event }) => {
        if (before._tag === "Absent" || after._tag === "Absent") return
        const isRenewal = ["ConsentGranted", "RefreshSucceeded", "RefreshTokenReplaced"].includes(event._tag)
        const isNew = textOf(after) !== textOf(before) || renewalOf(after) !== renewalOf(before)
        expect(after.generation - before.generation).toBe(isNew ? 1 : 0)
        if (isNew) expect(isRenewal).toBe(true)
      }),
    settings
  )

  it.prop(
    "a success is stored exactly if the grant is still the one that it renews",
    { program },
    ({ program }) =>
      run(program, ({ after, before, event }) => {
        if (event._tag !== "RefreshSucceeded") return
        const isCurrent =
          before._tag !== "Absent" && before.family === event.family && before.generation === event.generation
        expect(textOf(after)).toBe(isCurrent ? Redacted.value(event.tokens.accessToken) : textOf(before))
      }),
    settings
  )

  it.prop(
    "only the holder of the lease sends a refresh token, while no other lease is live",
    { program },
    ({ program }) =>
      run(program, ({ after, before, commands, event, now }) => {
        if (!commands.some(({ _tag }) => _tag === "SendRefreshToken")) return
        const by = "owner" in event ? event.owner : undefined
        expect(after).toMatchObject({ _tag: "Refreshing", lease: { owner: by } })
        if (before._tag === "Refreshing" && before.lease.owner !== by) {
          expect(before.lease.deadline).toBeLessThanOrEqual(now)
          expect(after).toMatchObject({ responseLost: true })
        }
      }),
    settings
  )

  it.prop(
    "a grant is given up for a refusal, and comes back by a consent or by tokens that were on their way",
    { program },
    ({ program }) =>
      run(program, ({ after, before, event }) => {
        if (after._tag === "ReconnectRequired" && before._tag !== "ReconnectRequired") {
          expect(event._tag).toBe("RefreshRefused")
        }
        if (before._tag === "ReconnectRequired" && after._tag !== "ReconnectRequired") {
          expect(["ConsentGranted", "RefreshSucceeded", "RefreshTokenReplaced", "Disconnected"]).toContain(event._tag)
        }
        if (before._tag === "Absent" && after._tag !== "Absent") expect(event._tag).toBe("ConsentGranted")
      }),
    settings
  )

  it.prop(
    "a rejected or expired token is never handed out again",
    { program },
    ({ program }) => {
      const rejected = new Set<string | undefined>()
      run(program, ({ before, commands, event, now }) => {
        if (event._tag === "AccessTokenRejected") rejected.add(textOf(before))
        for (const command of commands) {
          if (command._tag !== "UseAccessToken") continue
          expect(rejected).not.toContain(Redacted.value(command.access.accessToken))
          expect(command.access.expiresAt).toBeGreaterThan(now)
          expect(command.until).toBeGreaterThan(now)
        }
      })
    },
    settings
  )

  it.prop(
    "only the owner of the lease ends a refresh without tokens, and a pause counts its failures until a success",
    { program },
    ({ program }) => {
      let failures = 0
      run(program, ({ after, before, event }) => {
        if (
          event._tag === "RefreshFailed" ||
          event._tag === "RefreshRefused" ||
          event._tag === "RefreshOutcomeUnknown"
        ) {
          const isOwner =
            before._tag === "Refreshing" &&
            before.lease.owner === event.owner &&
            before.family === event.family &&
            before.generation === event.generation
          if (!isOwner) return expect(after).toBe(before)
          // A second attempt is no failure yet.
          if (after._tag === "Active") failures++
        }
        if (textOf(after) !== textOf(before)) failures = 0
        if (event._tag === "RefreshTokenReplaced" && after !== before) {
          failures = (before._tag === "Active" || before._tag === "Refreshing" ? (before.pause?.failures ?? 0) : 0) + 1
        }
        if (after._tag === "Active" || after._tag === "Refreshing") expect(after.pause?.failures ?? 0).toBe(failures)
      })
    },
    settings
  )

  it.prop(
    "during a pause no process begins to send a refresh token",
    { program },
    ({ program }) =>
      run(program, ({ before, commands, now }) => {
        if (before._tag !== "Active" || before.pause === undefined || before.pause.until <= now) return
        expect(commands.map(({ _tag }) => _tag)).not.toContain("SendRefreshToken")
      }),
    settings
  )

  it.prop(
    "the sender stops listening 30 seconds before its lease ends",
    { program },
    ({ program }) =>
      run(program, ({ after, commands, now }) => {
        for (const command of commands) {
          if (command._tag !== "SendRefreshToken") continue
          expect(command.deadline).toBe(now + responseTimeout)
          expect(after).toMatchObject({ lease: { deadline: command.deadline + 30_000 } })
        }
      }),
    settings
  )
})
