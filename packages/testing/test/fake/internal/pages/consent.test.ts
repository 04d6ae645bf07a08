import { assert, describe, it } from "@effect/vitest"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Schema from "effect/Schema"
import * as Consent from "../../../../src/fake/internal/pages/consent.ts"
import * as Markup from "../../../utils/Markup.ts"

const page = ({ email, name, state }: { readonly name: string; readonly state: string; readonly email: string }) =>
  Consent.consent({
    app: { name, clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] },
    redirectUri: "https://acme.example/callback",
    scopes: ["zap", "profile"],
    users: [{ id: 1, email, firstName: name, lastName: "" }],
    signedIn: undefined,
    action: `/v2/authorize?state=${state}`
  })

const harmless = Markup.structure(page({ name: "a", state: "a", email: "a" }).body)

describe("consent", () => {
  it.prop(
    "has the same tags for any app name, state and user: outside input stays text",
    { name: Markup.Hostile, state: Markup.Hostile, email: Markup.Hostile },
    (texts) => {
      const { body } = page(texts)
      assert.deepStrictEqual(Markup.structure(body), harmless)
      assert.include(Markup.text(body), texts.name)
    }
  )

  it("says every scope in words, with the scope beside it", () => {
    for (const scope of Scopes.known) assert.notInclude(Consent.ofScope(scope), "does not know")
    const { body } = page({ name: "Acme", state: "x", email: "ada@example.com" })
    assert.match(body, /<span>See your name and e-mail address<\/span\s*><code>profile<\/code>/)
  })

  it("signs in whom the link names", () => {
    const { body } = Consent.consent({
      app: { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: [] },
      redirectUri: "acme:/callback",
      scopes: ["zap"],
      users: ["ada", "grace"].map((email, id) => ({ id, email, firstName: "", lastName: "" })),
      signedIn: "grace",
      action: "/v2/authorize"
    })
    assert.match(body, /<option value="grace" selected>/)
    assert.notMatch(body, /<option value="ada" selected>/)
    assert.include(body, "acme:/callback")
  })

  it("shows no token, and runs nothing", () => {
    const { body, headers } = page({ name: "Acme", state: "x", email: "ada@example.com" })
    assert.notInclude(body, "s3cret")
    assert.notInclude(body, "<script")
    assert.include(headers["content-security-policy"], "default-src 'none'; style-src 'sha256-")
    assert.notInclude(headers["content-security-policy"], "script-src")
    assert.deepInclude(headers, { "x-frame-options": "DENY", "referrer-policy": "same-origin" })
  })
})

describe("problem", () => {
  it.prop("shows any problem as text", [Schema.String], ([problem]) => {
    const { body } = Consent.problem(400, problem)
    assert.deepStrictEqual(Markup.structure(body), Markup.structure(Consent.problem(400, "a").body))
  })
})
