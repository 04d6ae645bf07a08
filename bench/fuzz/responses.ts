/** Arbitrary responses of a token endpoint, and the requirements for their results. */
import { inspect } from "node:util"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as TokenFailure from "@zapier-workflow-auth/core/oauth/TokenFailure"
import * as TokenOutcome from "@zapier-workflow-auth/core/oauth/TokenOutcome"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import { ReconnectRequired, RefreshOutcomeUnknown, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Chance } from "./chance.ts"

/** Texts that must appear nowhere. */
export const secret = "s3cr3t"

const asked: TokenOutcome.Asked = { scopes: ["zap"], startedAt: 1_000, now: 1_500 }

const year = 365 * 24 * 3_600_000

const hour = 3_600_000

const secretly = (chance: Chance) => `${secret}${chance.once(3) ? chance.text(12) : ""}${chance.below(10)}`

const plain = (chance: Chance) => `${secret}${chance.below(1_000_000)}`

const odd = (chance: Chance, text: () => string): unknown =>
  chance.oneOf<() => unknown>([
    () => null,
    () => true,
    () => chance.below(100_000) - 50,
    () => chance.below(1_000) / 7,
    () => 1e300,
    text,
    () => "",
    () => " ",
    () => [text(), 5, null, [text()]],
    () => ({ [text()]: text() }),
    () => []
  ])()

const scopesOf = (chance: Chance) =>
  chance.oneOf<() => unknown>([
    () => "zap zap:write",
    () => "zap,zap:write",
    () => ["zap", "zap:write profile"],
    () => odd(chance, () => chance.text(8).replaceAll(secret, ""))
  ])()

interface Members {
  readonly [name: string]: unknown
}

const membersOf = (chance: Chance): Members => {
  const secretOdd = () => odd(chance, () => secretly(chance))
  const maybe = (name: string, value: () => unknown) => (chance.once(3) ? {} : { [name]: value() })
  return {
    ...(chance.once(12) ? {} : { access_token: chance.once(3) ? secretOdd() : plain(chance) }),
    ...maybe("refresh_token", () => (chance.once(2) ? secretOdd() : plain(chance))),
    ...maybe("scope", () => scopesOf(chance)),
    ...maybe("expires_in", () =>
      chance.once(2) ? secretOdd() : chance.oneOf<unknown>([36_000, "3600", 0.5, "1e400"])
    ),
    ...maybe("token_type", () => (chance.once(2) ? secretOdd() : chance.oneOf(["Bearer", "bearer", "mac"]))),
    ...(chance.once(4)
      ? { error: chance.once(2) ? secretOdd() : chance.oneOf(["invalid_grant", "invalid_client"]) }
      : {}),
    ...(chance.once(8) ? { error_description: secretOdd(), id_token: secretOdd() } : {}),
    ...(chance.once(16) ? { ["__proto__"]: secretOdd(), constructor: secretOdd() } : {})
  }
}

// The body for these members, in a form in which all of them are readable.
const readable = (chance: Chance, members: Members): string => {
  const json = JSON.stringify(members).replace(/"expires_in":1e\+300/, '"expires_in":1e999')
  return chance.oneOf<() => string>([
    () => json,
    () => `\uFEFF${json}`,
    () => ` \r\n${json}\n\t`,
    () => JSON.stringify(members, null, 2),
    () => `{"scope":"another",${json.slice(1)}`.replace(",}", "}"),
    () => `{"deep":${"[".repeat(500)}${"]".repeat(500)},${json.slice(1)}`.replace(",}", "}")
  ])()
}

const mangled = (chance: Chance, body: string): string => {
  const at = chance.below(body.length + 1)
  return chance.oneOf<() => string>([
    () => body.slice(0, at),
    () => body.slice(at),
    () => `${body.slice(0, at)}${chance.text(3)}${body.slice(at + chance.below(3))}`,
    () => `${body}${chance.text(5)}`,
    () => `<!doctype html><p>${body}</p>`,
    () => `[${body}]`,
    () => `access_token=${secretly(chance)}&refresh_token=${chance.text(9)}&scope=zap%2Cprofile`,
    () => chance.text(40),
    () => "{".repeat(chance.below(2_000)),
    () => ""
  ])()
}

const headersOf = (chance: Chance): TokenOutcome.TokenResponse["headers"] => ({
  ...(chance.once(2)
    ? { "content-type": chance.oneOf(["application/json", "text/html", `${secret}/x`, chance.text(9)]) }
    : {}),
  ...(chance.once(2)
    ? {
        "retry-after": chance.oneOf([
          "30",
          "-1",
          "Thu, 01 Jan 1970 00:00:30 GMT",
          secret,
          chance.text(9),
          "9".repeat(400)
        ])
      }
    : {}),
  ...(chance.once(4) ? { date: chance.oneOf(["Thu, 01 Jan 1970 00:00:00 GMT", secret, chance.text(30)]) } : {})
})

const reasons = { refused: new ReconnectRequired({ why: "Revoked" }), unknown: new RefreshOutcomeUnknown({}) }

const shown = (value: unknown) => inspect(value, { depth: 9, showHidden: true }) + JSON.stringify(value)

const grants = ({ tokens }: Extract<TokenOutcome.TokenOutcome, { readonly _tag: "Granted" }>, members: Members) => {
  const { accessToken, expiresAt, obtainedAt, refreshToken, scopes } = tokens
  const life = expiresAt - obtainedAt
  if (!(Number.isSafeInteger(life) && life >= 1 && life <= year)) return `a life of ${life} ms`
  if (scopes.length === 0 || !scopes.every((scope) => /^\S+$/.test(scope))) return "scopes that are none"
  if (Option.isNone(RecordCodec.grant.decode(RecordCodec.grant.encode(UserGrant.granted("family", tokens))))) {
    return "tokens that no store can keep"
  }
  if (Redacted.value(accessToken) !== members["access_token"]) return "another access token"
  if (refreshToken !== undefined && Redacted.value(refreshToken) !== members["refresh_token"])
    return "another refresh token"
  return undefined
}

/** The result for a response, and what is wrong with it, if anything. */
export const check = (chance: Chance): { readonly kind: string; readonly problem: string | undefined } => {
  const members = membersOf(chance)
  const isMangled = chance.once(3)
  const whole = readable(chance, members)
  const status = chance.oneOf([200, 200, 200, 200, 201, 400, 400, 401, 403, 302, 0, 429, 500, 503, chance.below(1_000)])
  const isTruncated = chance.once(50)
  const response = { status, headers: headersOf(chance), body: isMangled ? mangled(chance, whole) : whole, isTruncated }
  const outcome = TokenOutcome.interpret(response, asked)
  const reason = TokenFailure.toReason(outcome, reasons)
  const wrong = () => {
    if (shown(outcome).includes(secret)) return "an outcome that shows a secret"
    if (
      reason !== undefined &&
      (shown(ZapierAuthError.make(reason)) + ZapierAuthError.make(reason).message).includes(secret)
    ) {
      return "an error that shows a secret"
    }
    const pause = TokenOutcome.retryAfter(response.headers, asked.now) ?? 0
    if (!(pause >= 0 && pause <= hour)) return `a pause of ${pause} ms`
    if (isMangled || isTruncated) return undefined
    const token = members["access_token"]
    const isUsable = typeof token === "string" && /^[!-~]([ -~]*[!-~])?$/.test(token)
    const isGranted = outcome._tag === "Granted"
    if (isGranted !== (isUsable && status >= 200 && status < 300)) {
      return isGranted ? "tokens where there are none" : "tokens that are thrown away"
    }
    return isGranted ? grants(outcome, members) : undefined
  }
  const kind = outcome._tag === "Granted" && outcome.oddities !== undefined ? "Odd" : outcome._tag
  return { kind, problem: wrong() }
}
