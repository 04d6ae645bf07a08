/** The fake's state for the control page and, as JSON, for the control API. */
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type * as FakeState from "../../FakeState.ts"
import type { FakeZapier } from "../../../FakeZapier.ts"
import type * as RequestLog from "../../RequestLog.ts"
import * as Lookup from "../lookup.ts"
import type * as Parse from "../parse.ts"

const latestFirst = (one: FakeState.AccessToken, other: FakeState.AccessToken) => other.expiresAt - one.expiresAt

const endOf = ({ accessTokens: [first] }: { readonly accessTokens: ReadonlyArray<FakeState.AccessToken> }) =>
  first?.expiresAt ?? 0

/** The partner's name for a White Label user. */
const whiteLabelOf = ({ whiteLabelUsers }: FakeState.FakeState, id: number) =>
  Option.getOrUndefined(Option.map(HashMap.get(whiteLabelUsers, id), ({ tenant, user }) => ({ tenant, user })))

/** Users' grants, the one whose token expires last first; likewise its tokens. */
export const grants = (state: FakeState.FakeState) =>
  Array.from(HashMap.values(state.grants), ({ accessTokens, clientId, id, refreshToken, scopes, userId }) => ({
    grantId: id,
    clientId,
    user: Lookup.user(state, userId)?.email ?? "",
    whiteLabel: whiteLabelOf(state, userId),
    scopes,
    accessTokens: accessTokens.toSorted(latestFirst),
    refreshToken
  })).toSorted((one, other) => endOf(other) - endOf(one))

export type Grant = ReturnType<typeof grants>[number]

/** The apps' own tokens, the one that expires last first. */
export const appTokens = (state: FakeState.FakeState): ReadonlyArray<FakeState.AppToken> =>
  Array.from(HashMap.values(state.appTokens)).toSorted(latestFirst)

export const apps = (state: FakeState.FakeState): ReadonlyArray<FakeState.App> =>
  Array.from(HashMap.values(state.apps)).toSorted((one, other) => (one.name < other.name ? -1 : 1))

type Reading = (zapier: FakeZapier["Service"], query: Parse.Parameters) => Effect.Effect<unknown>

const decoder = new TextDecoder()

const fromEntry = ({ at, fault, issued, request: { address: _, base: __, ...request }, status }: RequestLog.Entry) => ({
  at,
  ...request,
  body: decoder.decode(request.body),
  status,
  fault,
  issued
})

const all = (state: FakeState.FakeState, time: number) => ({
  time,
  apps: apps(state),
  users: state.users,
  grants: grants(state),
  appTokens: appTokens(state),
  whiteLabelUsers: Array.from(HashMap.values(state.whiteLabelUsers)),
  connectTokens: Array.from(state.connectTokens, ([connectToken, rest]) => ({ connectToken, ...rest })),
  settings: state.settings,
  faults: state.faults
})

export const readings: ReadonlyMap<string, Reading> = new Map(
  Object.entries<Reading>({
    state: (zapier) => Effect.map(Effect.all([zapier.state, zapier.time]), ([state, time]) => all(state, time)),
    requests: (zapier) => Effect.map(zapier.requests, (entries) => entries.map(fromEntry)),
    issued: (zapier) => zapier.issued,
    "token-family": (zapier, query) => zapier.tokenFamily(query.get("token") ?? "")
  })
)
