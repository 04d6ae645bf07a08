/**
 * The grants of an app with many connected users: most with a valid token, some with an expired one, and a few whose
 * users have to reconnect. Each is derived from its number, so that none has to be stored.
 */
import { createHash, randomInt } from "node:crypto"
import type { Grant } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"

export const application = {
  clientId: "bench",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/callback"]
}

export const scopes = ["profile", "zap", "zap:write", "authentication"]

/** In seconds, like Zapier's. */
export const tokenLife = 36_000

const digest = (text: string) => createHash("sha256").update(text).digest("hex")

/** As long as a UUID, and unordered, because users connect in any order. */
export const subjectOf = (index: number) => digest(`subject ${index}`).slice(0, 36)

/** As long as Zapier's: 30 letters and digits. */
export const tokenOf = (text: string) => digest(`token ${text}`).slice(0, 30)

export type Kind = "Live" | "Expired" | "ReconnectRequired"

/** One in a hundred has to reconnect, and one in twenty has an expired token. */
export const kindOf = (index: number): Kind =>
  index % 100 === 0 ? "ReconnectRequired" : index % 20 === 1 ? "Expired" : "Live"

const day = 86_400_000

export const grantOf = (index: number, now: number): Grant => {
  const kind = kindOf(index)
  const obtainedAt = kind === "Live" ? now : now - day
  const held = {
    // As long as the one after a consent.
    family: digest(`family ${index}`),
    generation: 1 + (index % 1_000),
    tokens: {
      accessToken: Tokens.secret(tokenOf(`access ${index}`)),
      refreshToken: Tokens.secret(tokenOf(`refresh ${index}`)),
      scopes,
      obtainedAt,
      expiresAt: obtainedAt + tokenLife * 1_000
    }
  }
  return kind === "ReconnectRequired"
    ? { _tag: "ReconnectRequired", ...held, why: "Revoked", since: now }
    : { _tag: "Active", ...held, responseLost: false }
}

/** Numbers below `count` of a kind, each once and unordered; fewer if there are not that many. */
export const sample = (kind: Kind, count: number, size: number): ReadonlyArray<number> => {
  const drawn = new Set<number>()
  // A draw finds one within a hundred tries on average; the limit ends a search that cannot succeed.
  for (let tries = 0; drawn.size < size && tries < size * 1_000; tries++) {
    const index = randomInt(count)
    if (kindOf(index) === kind) drawn.add(index)
  }
  return [...drawn]
}

/** The numbers from 0 on. */
export const indices = function* (count: number) {
  for (let index = 0; index < count; index++) yield index
}
