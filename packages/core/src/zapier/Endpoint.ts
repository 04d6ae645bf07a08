/**
 * The endpoints of the Zapier Workflow API, with the credentials and scopes that each accepts.
 *
 * An endpoint that is not in the table is not an error; the caller then chooses the credential.
 *
 * Sources: Zapier's Workflow API reference, and its public OpenAPI description (2024.11.0) for the older endpoints.
 *
 * @since 0.1.0
 */
import * as Scopes from "../oauth/Scopes.ts"

/**
 * The three ways to authenticate a request.
 *
 * - `User`: a user's access token in the `Authorization` header, by a grant or as a White Label user
 * - `App`: the app's own access token in the `Authorization` header
 * - `ClientId`: the public client id in the query
 *
 * @since 0.1.0
 */
export type Mode = "User" | "App" | "ClientId"

/**
 * The modes and scopes that an endpoint accepts.
 *
 * Without modes, Zapier states none. Scopes are alternatives, narrowest first: any one of them is enough. Without scopes,
 * Zapier states none.
 *
 * @since 0.1.0
 */
export interface Requirement {
  readonly modes: ReadonlyArray<Mode>
  readonly scopes: ReadonlyArray<Scopes.Scope>
  /** Set if Zapier documents the endpoint for users of White Label partners only. Calls for other users are sent all the same. */
  readonly whiteLabelOnly?: true
}

/**
 * The endpoint table.
 *
 * @since 0.1.0
 */
export const table = {
  "GET /v1/apps": { modes: ["ClientId"], scopes: [] },
  "GET /v1/zap-templates": { modes: ["ClientId"], scopes: [] },
  "GET /v1/categories": { modes: [], scopes: [] },
  "GET /v1/profiles/me": { modes: ["User"], scopes: ["profile"] },
  "GET /v1/zaps": { modes: ["User"], scopes: ["zap"] },
  "GET /v2/apps": { modes: ["User", "ClientId"], scopes: ["zap"] },
  "GET /v2/actions": { modes: ["User", "ClientId"], scopes: ["zap"] },
  "GET /v2/whitelabel/apps": { modes: [], scopes: [] },
  "POST /v2/actions/{action_id}/inputs": { modes: ["User"], scopes: ["zap:write"] },
  "POST /v2/actions/{action_id}/inputs/{input_id}/choices": { modes: ["User"], scopes: ["zap"] },
  "POST /v2/actions/{action_id}/outputs": { modes: ["User"], scopes: ["zap:write"] },
  "POST /v2/actions/{action_id}/test": { modes: ["User"], scopes: ["zap:write"] },
  "POST /v2/action-runs": { modes: ["User"], scopes: ["action:run"] },
  "GET /v2/action-runs/{id}": { modes: ["User"], scopes: ["action:run"] },
  "GET /v2/authentications": { modes: ["User"], scopes: ["connection:read", "authentication"] },
  "POST /v2/authentications": { modes: ["User"], scopes: ["connection:write", "authentication:write"] },
  "DELETE /v2/authentications/{authentication_id}": { modes: ["User"], scopes: [] },
  "GET /v2/zaps": { modes: ["User"], scopes: ["zap", "zap:all", "zap:account:all"] },
  "POST /v2/zaps": { modes: ["User"], scopes: ["zap:write"] },
  "PATCH /v2/zaps/{id}": { modes: ["User"], scopes: ["zap:update"] },
  "DELETE /v2/zaps/{id}": { modes: ["User"], scopes: ["zap:delete"], whiteLabelOnly: true },
  "POST /v2/zaps/{id}/enable": { modes: ["User"], scopes: [] },
  "GET /v2/zap-runs": { modes: ["User"], scopes: ["zap:runs"] },
  "POST /v2/promotions": { modes: ["User"], scopes: ["promotions:write"] },
  "GET /v2/promotions/{enrollment_id}": { modes: ["User"], scopes: ["promotions:read"] },
  "DELETE /v2/promotions/{enrollment_id}": { modes: ["App"], scopes: ["promotions:write"] },
  "POST /v2/guess": { modes: ["ClientId"], scopes: [] },
  "GET /v2/authorize": { modes: ["ClientId"], scopes: [] }
} as const satisfies { readonly [name: `${string} /${string}`]: Requirement }

/**
 * The type of the table.
 *
 * @since 0.1.0
 */
export type Table = typeof table

/**
 * An endpoint's name: its method and path.
 *
 * @since 0.1.0
 */
export type Name = keyof Table

/**
 * The modes that an endpoint accepts, as a type.
 *
 * @since 0.1.0
 */
export type ModeOf<N extends Name> = Table[N]["modes"][number]

/**
 * The names of all endpoints that accept a mode.
 *
 * @since 0.1.0
 */
export type Reachable<M extends Mode> = { [N in Name]: M extends ModeOf<N> ? N : never }[Name]

type ParameterNames<Path extends string> = Path extends `${string}{${infer P}}${infer Rest}`
  ? P | ParameterNames<Rest>
  : never

/**
 * The path parameters of an endpoint.
 *
 * @since 0.1.0
 */
export type PathParameters<N extends Name> = { readonly [P in ParameterNames<N>]: string }

/**
 * All endpoint names, in the table's order.
 *
 * @since 0.1.0
 */
export const names = Object.keys(table) as ReadonlyArray<Name>

/**
 * An endpoint's row in the table.
 *
 * @since 0.1.0
 */
export const requirement = (name: Name): Requirement => table[name]

/**
 * An endpoint's method and path template.
 *
 * @since 0.1.0
 */
export const parts = (name: Name): { readonly method: string; readonly path: `/${string}` } => {
  const space = name.indexOf(" ")
  return { method: name.slice(0, space), path: name.slice(space + 1) as `/${string}` }
}

const isParameter = (segment: string) => segment.startsWith("{")

// Endpoints without parameters, by path and method. Most calls go to one of them.
const plain = new Map<string, Map<string, Name>>()

// Endpoints with parameters, by method and number of segments; few share both.
const templates = new Map<string, Array<{ readonly name: Name; readonly segments: ReadonlyArray<string> }>>()

const shapeOf = (method: string, segments: ReadonlyArray<string>) => `${method} ${segments.length}`

for (const name of names) {
  const { method, path } = parts(name)
  if (name.includes("{")) {
    const segments = path.split("/")
    const shape = shapeOf(method, segments)
    templates.set(shape, [...(templates.get(shape) ?? []), { name, segments }])
  } else {
    plain.set(path, new Map(plain.get(path)).set(method, name))
  }
}

/**
 * Finds the endpoint of a request. `undefined` if the table does not have it.
 *
 * @param method the HTTP method, upper case
 * @param path the path, with or without a trailing slash, without the query
 *
 * @example
 * ```ts
 * import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
 *
 * Endpoint.match("PATCH", "/v2/zaps/123") // => "PATCH /v2/zaps/{id}"
 * Endpoint.match("GET", "/v3/unheard-of") // => undefined
 * ```
 *
 * @since 0.1.0
 */
export const match = (method: string, path: string): Name | undefined => {
  const trimmed = path.endsWith("/") ? path.slice(0, -1) : path
  const itself = plain.get(trimmed)?.get(method)
  if (itself !== undefined) return itself
  if (trimmed.includes(";")) return undefined
  const given = trimmed.split("/")
  return templates
    .get(shapeOf(method, given))
    ?.find(({ segments }) =>
      segments.every((segment, index) => (isParameter(segment) ? given[index] !== "" : segment === given[index]))
    )?.name
}

const methods = ["GET", "POST", "PATCH", "DELETE"]

/**
 * Lists the methods of a path, or none if the table does not have the path.
 *
 * @param path the path, with or without a trailing slash, without the query
 *
 * @example
 * ```ts
 * import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
 *
 * Endpoint.methodsOf("/v2/zaps") // => ["GET", "POST"]
 * ```
 *
 * @since 0.1.0
 */
export const methodsOf = (path: string): ReadonlyArray<string> =>
  methods.filter((method) => match(method, path) !== undefined)

/**
 * True if the granted scopes allow calls to the endpoint.
 *
 * @since 0.1.0
 */
export const isAllowed = (name: Name, granted: ReadonlyArray<Scopes.Scope>): boolean => {
  const { scopes } = requirement(name)
  return scopes.length === 0 || scopes.some((scope) => Scopes.allows(granted, scope))
}

/**
 * Returns the fewest scopes that allow calls to all given endpoints, in alphabetical order.
 *
 * If an endpoint accepts one of several scopes, one that is needed anyway is reused, or else the narrowest is chosen.
 *
 * @example
 * ```ts
 * import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
 *
 * Endpoint.leastScopes(["GET /v2/zaps", "POST /v2/zaps"]) // => ["zap", "zap:write"]
 * ```
 *
 * @since 0.1.0
 */
export const leastScopes = (endpoints: Iterable<Name>): ReadonlyArray<Scopes.Scope> => {
  const wanted = [...new Set(endpoints)].map(requirement).filter(({ scopes }) => scopes.length > 0)
  const chosen: Array<Scopes.Scope> = []
  const choose = ({ scopes }: Requirement) => {
    const narrowest = scopes[0]
    if (narrowest !== undefined && !scopes.some((scope) => Scopes.allows(chosen, scope))) chosen.push(narrowest)
  }
  // Endpoints without a choice come first, so that the others can reuse their scopes.
  wanted.filter(({ scopes }) => scopes.length === 1).forEach(choose)
  wanted.filter(({ scopes }) => scopes.length > 1).forEach(choose)
  return chosen.sort()
}
