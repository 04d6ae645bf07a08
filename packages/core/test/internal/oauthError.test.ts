import { describe, expect, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as OAuthError from "../../src/internal/oauthError.ts"

describe("oauthError", () => {
  it.each(["access_denied", "invalid_grant", "invalid_scope", "temporarily_unavailable", "login_required"])(
    "repeats a code that OAuth defines: %s",
    (code) => {
      expect(OAuthError.sanitize(code)).toBe(code)
    }
  )

  it.each(["", "ACCESS_DENIED", " access_denied", "access_denied\nforged log line", "__proto__", "<script>"])(
    "does not repeat anything else: %j",
    (code) => {
      expect(OAuthError.sanitize(code)).toBe(OAuthError.other)
    }
  )

  it.prop("has one of a few texts for any code", [Schema.String], ([code]) => {
    expect(OAuthError.sanitize(code)).toMatch(/^([a-z_]+|an error code that OAuth does not define)$/)
  })
})
