/** Authenticates a caller: the credential and the scope that the endpoint table requires. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as HashMap from "effect/HashMap"
import * as Result from "effect/Result"
import type * as FakeHttp from "../../FakeHttp.ts"
import type * as FakeState from "../../FakeState.ts"
import * as Lookup from "../lookup.ts"
import * as Parse from "../parse.ts"
import { type Caller as Asking, problem } from "./call.ts"

export type Caller = Pick<Asking, "clientId" | "user">

const unauthenticated = (detail: string, challenge: string) =>
  problem(401, detail, { "www-authenticate": `Bearer realm="api"${challenge}` })

/** The token is not valid. */
export const invalidToken = (description: string) =>
  unauthenticated(description, `,error="invalid_token",error_description="${description}"`)

const bearer = (request: FakeHttp.FakeRequest) =>
  /^bearer +([^ ]+) *$/i.exec(request.headers["authorization"] ?? "")?.[1]

/** The access token of a request, if it is known. */
export const tokenOf = (state: FakeState.FakeState, request: FakeHttp.FakeRequest): Lookup.Access | undefined => {
  const given = bearer(request)
  return given === undefined ? undefined : Lookup.accessToken(state, given)
}

const clientIdOf = (state: FakeState.FakeState, request: FakeHttp.FakeRequest) => {
  const clientId = Parse.query(request).get("client_id")
  return clientId !== undefined && HashMap.has(state.apps, clientId) ? clientId : undefined
}

/** The partner that a request counts for, if it names a known one. */
export const partner = (state: FakeState.FakeState, request: FakeHttp.FakeRequest): string | undefined =>
  tokenOf(state, request)?.clientId ?? clientIdOf(state, request)

export const authenticate = (
  state: FakeState.FakeState,
  request: FakeHttp.FakeRequest,
  endpoint: Endpoint.Name,
  now: number
): Result.Result<Caller, FakeHttp.FakeResponse> =>
  Result.gen(function* () {
    const { modes, whiteLabelOnly = false } = Endpoint.requirement(endpoint)
    if (modes.length === 0) return { clientId: undefined, user: undefined }
    const given = bearer(request)
    // If both would do, the header takes precedence.
    if (modes.includes("ClientId") && (given === undefined || modes.length === 1)) {
      const clientId = yield* Result.fromNullishOr(clientIdOf(state, request), () =>
        problem(401, "Missing or unknown client_id in query parameters.")
      )
      return { clientId, user: undefined }
    }
    if (given === undefined) {
      return yield* Result.fail(unauthenticated("Authentication credentials were not provided.", ""))
    }
    const token = Lookup.accessToken(state, given)
    if (token === undefined) return yield* Result.fail(invalidToken("The access token is invalid."))
    if (now >= token.expiresAt) return yield* Result.fail(invalidToken("The access token has expired."))
    const [mode, whose] = token.userId === undefined ? (["App", "an app"] as const) : (["User", "a user"] as const)
    if (!modes.includes(mode)) {
      return yield* Result.fail(problem(403, `This endpoint does not take the access token of ${whose}.`))
    }
    const isPartnersUser = token.userId !== undefined && HashMap.has(state.whiteLabelUsers, token.userId)
    if (whiteLabelOnly && state.settings.onlyPartnersDeleteZaps && !isPartnersUser) {
      return yield* Result.fail(problem(403, "Only White Label partners can delete Zaps."))
    }
    if (!Endpoint.isAllowed(endpoint, token.scopes)) {
      return yield* Result.fail(problem(403, "The access token lacks a scope."))
    }
    const user = token.userId === undefined ? undefined : Lookup.user(state, token.userId)
    return { clientId: token.clientId, user }
  })
