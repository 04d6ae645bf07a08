/** What `FakeState` exports as `Knobs`: a file of its own, because it is long. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

// Whole or not: a test of real time may want a token that lives for less than a second.
const Time = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const knob = <S extends Schema.Constraint & Schema.WithoutConstructorDefault>(schema: S, strict: S["~type.make.in"]) =>
  Schema.withConstructorDefault<S>(Effect.succeed(strict))(schema)

export const Knobs = Schema.Struct({
  /**
   * Whether the user is asked for consent, on a page. Else an authorization URL leads back with a code at once: of the
   * user whose address is in `sign_up_email`, or of the first one. Default: yes.
   */
  asksForConsent: knob(Schema.Boolean, true),
  /** How long an access token lives, in seconds. Default: 36000, as documented. */
  accessTokenLifetime: knob(Time, 36_000),
  /** How long a code lives, in seconds. Default: 120, as documented. */
  codeLifetime: knob(Time, 120),
  /** Whether a second use of a rotated refresh token ends the whole grant. Default: yes. */
  reuseRevokesGrant: knob(Schema.Boolean, true),
  /** Whether a second use of a code ends the grant that it gave (RFC 6749 section 4.1.2). Default: yes. */
  codeReuseRevokesGrant: knob(Schema.Boolean, true),
  /** For how long a rotated refresh token gives the same new pair again, in milliseconds. Default: 0. */
  graceMillis: knob(Time, 0),
  /** Whether a refresh ends the previous access token at once. Default: yes. */
  refreshEndsAccessToken: knob(Schema.Boolean, true),
  /** Whether a refresh gives a new refresh token; else it gives none, and the old one stays good. Default: yes. */
  rotateRefreshTokens: knob(Schema.Boolean, true),
  /** The `Content-Type` of app token answers. Zapier's documentation shows `multipart/form-data` over JSON. */
  appTokenContentType: knob(Schema.NonEmptyString, "application/json"),
  /**
   * Whether there are rate limits: whoever exceeds one is answered with 429 for a minute. Default: yes, as documented.
   * The consent page never counts: users' browsers ask for it, each from an address of its own.
   */
  rateLimits: knob(Schema.Boolean, true),
  /** How many requests an address may send in a minute. Default: 60, as documented. */
  requestsPerAddress: knob(Count, 60),
  /** How many requests a partner, which is a client id, may send in a minute. Default: 150, as documented. */
  requestsPerPartner: knob(Count, 150),
  /** Whether token requests count, too. Default: yes. */
  rateLimitsTokenRequests: knob(Schema.Boolean, true)
})

export type Knobs = typeof Knobs.Type

export const strictest: Knobs = Knobs.make({})
