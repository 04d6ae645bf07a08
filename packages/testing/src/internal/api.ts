/** The API: credentials and scopes as the endpoint table says, and the documented shapes. */
import * as Endpoint from "@zapier-workflow-auth/core/Endpoint"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { FakeRequest, FakeResponse } from "../FakeHttp.ts"
import * as FakeHttp from "../FakeHttp.ts"
import * as FakeState from "../FakeState.ts"
import * as Data from "./data.ts"
import * as Parse from "./parse.ts"

interface Handled {
  readonly state: FakeState.FakeState
  readonly response: FakeResponse
}

/** Who calls, once the credential has been checked. */
interface Caller {
  readonly clientId: string | undefined
  readonly user: FakeState.User | undefined
}

type Handler = (state: FakeState.FakeState, request: FakeRequest, caller: Caller) => Handled

const problems = {
  400: ["parse_error", "ParseError"],
  401: ["not_authenticated", "NotAuthenticated"],
  403: ["permission_denied", "PermissionDenied"],
  404: ["not_found", "NotFound"],
  405: ["method_not_allowed", "MethodNotAllowed"],
  501: ["not_implemented", "NotImplemented"]
} as const

const problem = (
  status: keyof typeof problems,
  detail: string,
  headers: { readonly [name: string]: string } = {}
): FakeResponse => {
  const [code, title] = problems[status]
  return FakeHttp.json(
    status,
    { errors: [{ status: String(status), code, title, detail, source: null, meta: {} }] },
    headers
  )
}

const unauthenticated = (detail: string, challenge: string) =>
  problem(401, detail, { "www-authenticate": `Bearer realm="api"${challenge}` })

const invalidToken = (description: string) =>
  unauthenticated(description, `,error="invalid_token",error_description="${description}"`)

const bearer = (request: FakeRequest) => /^bearer +([^ ]+) *$/i.exec(request.headers["authorization"] ?? "")?.[1]

const userOf = (state: FakeState.FakeState, id: number | undefined) => state.users.find((user) => user.id === id)

// Who calls, or the answer that refuses.
const authenticate = (
  state: FakeState.FakeState,
  request: FakeRequest,
  endpoint: Endpoint.Name,
  now: number
): Caller | FakeResponse => {
  const { modes } = Endpoint.requirement(endpoint)
  if (modes.length === 0) return { clientId: undefined, user: undefined }
  const given = bearer(request)
  const takesClientId = modes.includes("ClientId")
  const onlyClientId = takesClientId && modes.length === 1
  if (takesClientId && (onlyClientId || given === undefined)) {
    const clientId = Parse.query(request).get("client_id")
    if (clientId !== undefined && HashMap.has(state.apps, clientId)) return { clientId, user: undefined }
    return problem(401, "Missing or unknown client_id in query parameters.")
  }
  if (given === undefined) return unauthenticated("Authentication credentials were not provided.", "")
  const token = Option.getOrUndefined(HashMap.get(state.accessTokens, given))
  if (token === undefined) return invalidToken("The access token is invalid.")
  if (now >= token.expiresAt) return invalidToken("The access token has expired.")
  const mode: Endpoint.Mode = token.userId === undefined ? "App" : "User"
  if (!modes.includes(mode)) {
    return problem(403, `This endpoint does not take the access token of ${mode === "App" ? "an app" : "a user"}.`)
  }
  if (!Endpoint.isAllowed(endpoint, token.scopes)) return problem(403, "The access token lacks a scope.")
  return { clientId: token.clientId, user: userOf(state, token.userId) }
}

const whole = (text: string | undefined, otherwise: number, least: number): number => {
  const number = Number(text ?? "")
  return text !== undefined && Number.isSafeInteger(number) && number >= least ? number : otherwise
}

const origin = "https://api.zapier.com"

const link = (path: string, entries: Record<string, number>) =>
  `${origin}${path}?${new URLSearchParams(Object.entries(entries).map(([name, value]) => [name, String(value)]))}`

// Pages by number, as v1 lists have them.
const byPage = <A>(request: FakeRequest, all: ReadonlyArray<A>): FakeResponse => {
  const query = Parse.query(request)
  const per_page = whole(query.get("per_page"), 10, 1)
  const page = whole(query.get("page"), 1, 1)
  const pages = Math.max(1, Math.ceil(all.length / per_page))
  const at = (number: number) =>
    number >= 1 && number <= pages ? link(request.path, { per_page, page: number }) : null
  return FakeHttp.json(200, {
    total: all.length,
    page,
    pages,
    per_page,
    objects: all.slice((page - 1) * per_page, page * per_page),
    prev_url: at(page - 1),
    next_url: at(page + 1)
  })
}

// Some of a list, and where the neighbours begin.
const byOffset = <A>(request: FakeRequest, all: ReadonlyArray<A>) => {
  const query = Parse.query(request)
  const limit = whole(query.get("limit"), 10, 1)
  const offset = whole(query.get("offset"), 0, 0)
  return {
    limit,
    offset,
    items: all.slice(offset, offset + limit),
    next: offset + limit < all.length ? link(request.path, { limit, offset: offset + limit }) : null,
    previous: offset > 0 ? link(request.path, { limit, offset: Math.max(0, offset - limit) }) : null
  }
}

const v2List = <A>(request: FakeRequest, all: ReadonlyArray<A>): FakeResponse => {
  const { items, limit, next, offset, previous } = byOffset(request, all)
  return FakeHttp.json(200, {
    links: { next, prev: previous },
    meta: { count: all.length, offset, limit },
    data: items
  })
}

const reads =
  (respond: (request: FakeRequest, user: FakeState.User) => FakeResponse): Handler =>
  (state, request, { user }) => ({
    state,
    response: user === undefined ? problem(403, "The user is gone.") : respond(request, user)
  })

const open =
  (respond: (request: FakeRequest) => FakeResponse): Handler =>
  (state, request) => ({ state, response: respond(request) })

const lastSegment = (path: string) => decodeURIComponent(path.replace(/\/+$/, "").split("/").at(-1) ?? "")

const enrollment = ({ id, userId }: FakeState.Enrollment) => ({
  data: { type: "promotion_enrollment", id, user_id: userId, status: "active" }
})

const findEnrollment = (state: FakeState.FakeState, request: FakeRequest, caller: Caller) => {
  const found = Option.getOrUndefined(HashMap.get(state.enrollments, lastSegment(request.path)))
  const isCallers =
    found !== undefined &&
    found.clientId === caller.clientId &&
    (caller.user === undefined || caller.user.id === found.userId)
  return isCallers ? found : undefined
}

const noEnrollment = (state: FakeState.FakeState): Handled => ({
  state,
  response: problem(404, "There is no such enrollment.")
})

const handlers: { readonly [name in Endpoint.Name]?: Handler } = {
  "GET /v1/apps": open((request) => byPage(request, Data.catalog.map(Data.v1App))),
  "GET /v1/zap-templates": open((request) => FakeHttp.json(200, byOffset(request, Data.templates).items)),
  "GET /v1/categories": open((request) => byPage(request, Data.categories)),
  "GET /v1/profiles/me": reads((_, user) => FakeHttp.json(200, Data.profile(user))),
  "GET /v1/zaps": reads((request, user) => {
    const all = Data.v1Zaps(user)
    const { items, next, previous } = byOffset(request, all)
    return FakeHttp.json(200, { next, previous, count: all.length, objects: items })
  }),
  "GET /v2/zaps": reads((request, user) => v2List(request, Data.v2Zaps(user))),
  "POST /v2/promotions": (state, _, { clientId, user }) => {
    if (clientId === undefined || user === undefined) return { state, response: problem(403, "The user is gone.") }
    const [id, drawn] = FakeState.draw(state, 12)
    const made: FakeState.Enrollment = { id, clientId, userId: user.id }
    return {
      state: { ...drawn, enrollments: HashMap.set(drawn.enrollments, id, made) },
      response: FakeHttp.json(201, enrollment(made))
    }
  },
  "GET /v2/promotions/{enrollment_id}": (state, request, caller) => {
    const found = findEnrollment(state, request, caller)
    return found === undefined ? noEnrollment(state) : { state, response: FakeHttp.json(200, enrollment(found)) }
  },
  "DELETE /v2/promotions/{enrollment_id}": (state, request, caller) => {
    const found = findEnrollment(state, request, caller)
    if (found === undefined) return noEnrollment(state)
    return {
      state: { ...state, enrollments: HashMap.remove(state.enrollments, found.id) },
      response: { status: 204, headers: {}, body: "" }
    }
  }
}

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]

export const handle = (state: FakeState.FakeState, request: FakeRequest, now: number): Handled => {
  const endpoint = Endpoint.match(request.method, request.path)
  if (endpoint === undefined) {
    const allowed = methods.filter((method) => Endpoint.match(method, request.path) !== undefined)
    const response =
      allowed.length === 0
        ? problem(404, "There is no such endpoint.")
        : problem(405, "The endpoint does not take this method.", { allow: allowed.join(", ") })
    return { state, response }
  }
  const caller = authenticate(state, request, endpoint, now)
  if ("status" in caller) return { state, response: caller }
  const handler = handlers[endpoint]
  return handler === undefined
    ? { state, response: problem(501, `This fake does not serve ${endpoint} yet.`) }
    : handler(state, request, caller)
}
