/** Shared by all grants of the token endpoint: their responses, and the tokens of a grant. */
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as Result from "effect/Result"
import * as FakeHttp from "../FakeHttp.ts"
import type { Responded, Issued } from "../FakeOutcome.ts"
import type * as FakeState from "../FakeState.ts"
import type { Facts } from "../FakeWhiteLabel.ts"
import type * as Parse from "./parse.ts"
import * as Text from "../../internal/text.ts"

/** Keeps tokens out of caches. */
export const noStore = { "cache-control": "no-store", pragma: "no-cache" }

/** An error of RFC 6749 section 5.2. */
export const error = (status: number, code: string, description?: string): FakeHttp.FakeResponse =>
  FakeHttp.json(status, { error: code, error_description: description }, noStore)

/** The client cannot be authenticated. */
export const invalidClient: FakeHttp.FakeResponse = FakeHttp.json(
  401,
  { error: "invalid_client" },
  { ...noStore, "www-authenticate": 'Bearer error="invalid_client"' }
)

/** The grant, code or refresh token is invalid. */
export const invalidGrant = error(400, "invalid_grant")

/** The tokens in a response. */
export type Given = Omit<FakeState.Pair, "refreshToken"> & { readonly refreshToken?: string | undefined }

/** A response of RFC 6749 section 5.1. */
export const granted = (given: Given, contentType = "application/json"): FakeHttp.FakeResponse =>
  FakeHttp.json(
    200,
    {
      access_token: given.accessToken,
      expires_in: given.expiresIn,
      token_type: "Bearer",
      scope: Scopes.format(given.scopes),
      refresh_token: given.refreshToken
    },
    { ...noStore, "content-type": contentType }
  )

/** The tokens of a response, for the record. */
export const issued = (
  { accessToken, refreshToken }: Given,
  of: Pick<Issued, "clientId" | "grantId" | "origin">,
  at: number
): Issued => ({ ...of, accessToken, refreshToken, at })

/** Adds tokens to a grant. Without rotation the refresh token stays. */
export const issue = (
  state: FakeState.FakeState,
  grant: FakeState.Grant,
  options: {
    readonly scopes: ReadonlyArray<Scopes.Scope>
    readonly rotates: boolean
    /** In seconds. */
    readonly expiresIn: number
  },
  now: number
): { readonly grant: FakeState.Grant; readonly pair: FakeState.Pair } => {
  const { id, serial } = grant
  const { expiresIn, scopes } = options
  const accessToken = Text.write(state.key, { kind: "AccessToken", grant: id, serial })
  const refreshToken = options.rotates
    ? Text.write(state.key, { kind: "RefreshToken", grant: id, serial })
    : grant.refreshToken
  const access: FakeState.AccessToken = { accessToken, scopes, expiresAt: now + expiresIn * 1000 }
  return {
    grant: { ...grant, serial: serial + 1, accessTokens: [...grant.accessTokens, access], refreshToken },
    pair: { accessToken, refreshToken, scopes, expiresIn }
  }
}

/** Handles a request of one grant type. */
export type Grant = (
  state: FakeState.FakeState,
  app: FakeState.App,
  form: Parse.Parameters,
  now: number,
  facts: Facts
) => Generator<Result.Result<unknown, FakeHttp.FakeResponse>, Responded>

/** Rejects a request with an error. */
export const refuse = (code: string, description?: string) => Result.fail(error(400, code, description))

/** A required parameter. */
export const required = (form: Parse.Parameters, name: string, what: string) =>
  Result.fromNullishOr(form.get(name), () => error(400, "invalid_request", `Missing ${what}.`))
