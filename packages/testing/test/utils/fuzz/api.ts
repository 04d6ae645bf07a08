/** Calls of the API, and whom the endpoint table lets in. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import * as FakeHttp from "../../../src/fake/FakeHttp.ts"
import type { Chooser } from "./choose.ts"
import type { Oracle } from "./oracle.ts"

export interface Asked {
  readonly endpoint: Endpoint.Name
  readonly path: string
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  readonly token: string | undefined
  readonly body: string
}

const endpoints = Endpoint.names.filter((name) => name !== "GET /v2/authorize")

// Values that endpoints know, so that more than refusals is seen.
const bodies = [
  "",
  "{",
  "null",
  "[]",
  '{"data":null}',
  '{"data":{"title":"x","steps":[]}}',
  '{"data":{"title":"x"}}',
  '{"data":{"authentication":null,"inputs":{}}}',
  '{"data":{"authentication":"slack-1001","inputs":{"__proto__":{"x":1}},"action":"uag:00000000-0000-4000-9000-000000000001"}}',
  '{"data":{"title":"x","app":"00000000-0000-4000-8000-000000000001","authentication_fields":{}}}',
  '{"promotion_id":"spring"}',
  '{"description":"Typeform to Slack"}',
  '{"data":{"title":1e999,"steps":[{"action":"x","inputs":[],"authentication":{}}]}}'
]

const segments = [
  "uag:00000000-0000-4000-9000-000000000001",
  "uag:00000000-0000-4000-9000-000000000001",
  "workspace",
  "00000000-0000-c000-8000-000000100100",
  "1",
  "%2F",
  "a%00b"
]

const parameters = [
  ["limit", ["1", "100", "0", "-1", "1e3", "9".repeat(400)]],
  ["offset", ["0", "2", "x"]],
  ["page", ["1", "3", "1.5"]],
  ["per_page", ["2", "NaN"]],
  ["app", ["00000000-0000-4000-8000-000000000001", "x"]],
  ["from_date", ["2020-01-01", "x", "+275760-09-13"]],
  ["statuses", ["success,error", ","]],
  ["expand", ["steps.action,steps.authentication", "constructor"]],
  ["inputs[workspace]", ["workspace-1"]],
  ["params____proto__", ["x"]]
] as const

export const draw = (choose: Chooser, oracle: Oracle): Asked => {
  const endpoint = choose.of(endpoints)
  const query: Array<readonly [string, string]> = []
  while (choose.rarely(3)) {
    const [name, values] = choose.of(parameters)
    query.push([name, choose.rarely(10) ? choose.garbage() : choose.of(values)])
  }
  if (choose.often()) query.push(["client_id", choose.rarely(6) ? choose.garbage() : choose.of(oracle.apps).id])
  const tokens = oracle.accessTokens.recent
  const token = choose.rarely(6) || tokens.length === 0 ? choose.garbage() : choose.of(tokens)
  return {
    endpoint,
    path: Endpoint.parts(endpoint).path.replace(/\{\w+\}/g, () => choose.of(segments)),
    query,
    token: choose.rarely(6) ? undefined : choose.rarely(20) ? choose.mutate(token) : token,
    body: choose.of(bodies)
  }
}

export const toRequest = ({ body, endpoint, path, query, token }: Asked): FakeHttp.FakeRequest => {
  const { method } = Endpoint.parts(endpoint)
  const search = new URLSearchParams(query.map(([name, value]) => [name, value]))
  return FakeHttp.request(method, `${path}?${search}`, {
    headers: {
      "content-type": "application/json",
      ...(token !== undefined && { authorization: `Bearer ${token}` })
    },
    ...(method !== "GET" && { body })
  })
}

const isNamed = (oracle: Oracle, { query }: Asked) => {
  const given = query.find(([name]) => name === "client_id")?.[1]
  return oracle.apps.some(({ id }) => id === given)
}

/** The status that refuses the caller, or `undefined` for one who is let in. */
export const judge = (oracle: Oracle, asked: Asked): 401 | 403 | undefined => {
  const { modes, scopes } = Endpoint.requirement(asked.endpoint)
  if (modes.length === 0) return undefined
  // Spaces around a token are not of it; a text with one inside, or an empty one, is no token.
  const token = /^ *([^ ]+) *$/.exec(asked.token ?? "")?.[1]
  if (modes.includes("ClientId") && (modes.length === 1 || token === undefined)) {
    return isNamed(oracle, asked) ? undefined : 401
  }
  const access = oracle.accessTokens.all.get(token ?? "")
  if (access === undefined || !oracle.isLiving(access)) return 401
  const mode = access.grant === undefined ? "App" : "User"
  const isAllowed = scopes.length === 0 || scopes.some((scope) => Scopes.allows(access.scopes, scope))
  return modes.includes(mode) && isAllowed ? undefined : 403
}
