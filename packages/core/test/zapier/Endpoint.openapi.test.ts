import { expect, it } from "@effect/vitest"
import * as Endpoint from "../../src/zapier/Endpoint.ts"

// Zapier's public OpenAPI description, version 2024.11.0: method, path, credentials and scopes, as it has them. A scheme
// that it calls `OAuth` is a user's token, `ClientIDAuthentication` the client id; `query` is a required `client_id` where no
// scheme is stated.
const described = `
GET    /v1/apps                                             ClientIDAuthentication
GET    /v1/categories
GET    /v1/profiles/me                                      OAuth: profile
GET    /v1/zap-templates                                    ClientIDAuthentication
GET    /v1/zaps                                             OAuth: zap
POST   /v2/action-runs                                      OAuth: action:run
GET    /v2/action-runs/{id}                                 OAuth: action:run
GET    /v2/actions                                          OAuth: zap, ClientIDAuthentication
POST   /v2/actions/{action_id}/inputs                       OAuth: zap:write
POST   /v2/actions/{action_id}/inputs/{input_id}/choices    OAuth: zap
POST   /v2/actions/{action_id}/outputs                      OAuth: zap:write
POST   /v2/actions/{action_id}/test                         OAuth: zap:write
GET    /v2/apps                                             OAuth: zap, ClientIDAuthentication
GET    /v2/authentications                                  OAuth: connection:read
POST   /v2/authentications                                  OAuth: connection:write
GET    /v2/authorize                                        ClientIDAuthentication
POST   /v2/guess                                            query
GET    /v2/whitelabel/apps
GET    /v2/zap-runs                                         OAuth: zap:runs
GET    /v2/zaps                                             OAuth: zap zap:all
POST   /v2/zaps                                             OAuth: zap:write
`

const rows = described
  .trim()
  .split("\n")
  .map((line) => line.split(/ +/))

const expected = new Map(
  rows.map(([method, path, ...credentials]) => {
    const text = credentials.join(" ")
    const scopes = /OAuth: ([^,]+)/.exec(text)?.[1]?.split(" ") ?? []
    const modes = [
      ...(text.includes("OAuth") ? ["User"] : []),
      ...(/ClientIDAuthentication|query/.test(text) ? ["ClientId"] : [])
    ]
    return [`${method} ${path}`, { modes, scopes }]
  })
)

// What the table has otherwise, and why. Zapier's newer reference and announcements go before the description.
const differing: { readonly [name: string]: string } = {
  "GET /v2/authentications": "authentication, the older name of its scope, is still documented",
  "POST /v2/authentications": "authentication:write, the older name of its scope, is still documented",
  "DELETE /v2/authentications/{authentication_id}": "documented in July 2026; no scope is stated",
  "GET /v2/zaps": "zap:account:all is newer, and reads whatever zap:all reads",
  "PATCH /v2/zaps/{id}": "documented in 2026 (2026.7.0), with zap:update",
  "DELETE /v2/zaps/{id}": "documented later, for White Label partners, with zap:delete",
  "POST /v2/zaps/{id}/enable": "documented later; no scope is stated",
  "POST /v2/promotions": "documented with the user's token, in pages of its own",
  "GET /v2/promotions/{enrollment_id}": "documented with the user's token, in pages of its own",
  "DELETE /v2/promotions/{enrollment_id}": "documented with the app's own token, in pages of its own"
}

it("matches Zapier's OpenAPI description, except for known differences", () => {
  const names = new Set<string>([...expected.keys(), ...Endpoint.names])
  const table: { readonly [name: string]: Endpoint.Requirement } = Endpoint.table
  const found = [...names].filter((name) => JSON.stringify(table[name]) !== JSON.stringify(expected.get(name)))
  expect(found.sort()).toEqual(Object.keys(differing).sort())
})

it("names the scopes of the description first, where it has more", () => {
  for (const [name, { scopes }] of expected) {
    const row = Endpoint.requirement(name as Endpoint.Name)
    expect(row.scopes.slice(0, scopes.length), name).toEqual(scopes)
  }
})
