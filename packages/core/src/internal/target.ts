/** Where a request to the API goes, and with which credential. What cannot be sent is refused here. */
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpMethod from "effect/http/HttpMethod"
import * as Url from "effect/http/Url"
import * as Result from "effect/Result"
import * as Credential from "../zapier/Credential.ts"
import * as Endpoint from "../zapier/Endpoint.ts"
import { UntrustedOrigin, ZapierAuthError } from "../ZapierAuthError.ts"
import * as CallerChecks from "./callerChecks.ts"
import * as TextProblem from "./textProblem.ts"

type Request = HttpClientRequest.HttpClientRequest

type Checked<A> = Result.Result<A, ZapierAuthError>

const refuse = (setting: string, problem: string): Checked<never> => Result.fail(CallerChecks.invalid(setting, problem))

export interface Target {
  readonly request: Request
  /** Method and path, as in the endpoint table. */
  readonly endpoint: Endpoint.Name | undefined
  readonly path: string
}

/** Where the API is: what paths are put after, and the origin that may have credentials. */
export interface Api {
  readonly base: string
  readonly origin: string | undefined
  /** The path of the base, which is none unless something stands in front of the API. */
  readonly path: string
  /** Whole URLs, by the paths of the table that have no parameters: most calls are to one of them. None behind a gateway. */
  readonly known: ReadonlyMap<string, string>
}

const knownAt = (base: string): ReadonlyMap<string, string> =>
  new Map(
    Endpoint.names
      .map((name): string => Endpoint.parts(name).path)
      .filter((path) => !path.includes("{"))
      .map((path) => [path, `${base}${path}`])
  )

export const api = (url: string): Api => {
  const base = url.replace(/\/+$/, "")
  return Result.match(Url.fromString(base), {
    onSuccess: ({ origin, pathname }) => ({
      base,
      origin,
      path: pathname.replace(/\/+$/, ""),
      known: base === origin ? knownAt(base) : new Map()
    }),
    // What is no URL has no origin, and no request may have a credential.
    onFailure: () => ({ base, origin: undefined, path: "", known: new Map() })
  })
}

const targetOf = (request: Request, url: string, path: string): Target => ({
  request: HttpClientRequest.setUrl(request, url),
  endpoint: Endpoint.match(request.method, path),
  path
})

// Nothing in such a path can lead elsewhere, so that it need not be parsed: most calls have one, and parsing costs as
// much as all else that is done for them.
const plainPath = /^(?:\/[\w-]+)+\/?$/

// What `fetch` sends (Fetch standard, section 2.2.1).
const methods: ReadonlySet<string> = new Set([...HttpMethod.all].filter((method) => method !== "TRACE"))

const token = /^[\w!#$%&'*+.^`|~-]+$/

// What a header can carry (Fetch standard, section 2.2.2).
const unsendable = TextProblem.holds(/[^\t\x20-\x7E\x80-\xFF]/, "a character that no header can carry")

const unsendableHeader = (headers: Request["headers"]): ZapierAuthError | undefined => {
  for (const name in headers) {
    // Nearly every request has this one, and no other.
    if (name === "accept" && headers[name] === "application/json") continue
    if (!token.test(name)) return CallerChecks.invalid("headers", "a name is not one that a header may have")
    const value: unknown = headers[name]
    // A header may be empty.
    const problem = value === "" ? undefined : TextProblem.first(value, unsendable)
    if (problem !== undefined) return CallerChecks.invalid(`headers.${name}`, `${problem}; give text of one line`)
  }
  return undefined
}

const unsendablePart = ({ body, headers, method, url }: Request): ZapierAuthError | undefined => {
  if (!methods.has(method)) {
    return CallerChecks.invalid("method", `give one of ${[...methods].join(", ")}, in capital letters`)
  }
  if (typeof url !== "string") return CallerChecks.invalid("url", "give a path of the API, /v2/zaps for example")
  if (body._tag !== "Empty" && (method === "GET" || method === "HEAD")) {
    return CallerChecks.invalid("body", `leave it out: ${method} has none. Parameters of a query belong into the path`)
  }
  return unsendableHeader(headers)
}

/** The request at the API's origin, or why it may not have a credential. */
export const aim = ({ base, known, origin, path }: Api, request: Request): Checked<Target> => {
  const wrong = unsendablePart(request)
  if (wrong !== undefined) return Result.fail(wrong)
  const whole = known.get(request.url)
  if (whole !== undefined) return Result.succeed(targetOf(request, whole, request.url))
  if (base === origin && plainPath.test(request.url)) {
    return Result.succeed(targetOf(request, `${origin}${request.url}`, request.url))
  }
  if (/^[^?#]*[{}]/.test(request.url)) {
    return refuse("url", "it holds a brace: a parameter of the path was not filled in")
  }
  const parsed = Url.fromString(request.url.startsWith("/") ? `${base}${request.url}` : request.url)
  if (Result.isFailure(parsed) || !/^https?:$/.test(parsed.success.protocol)) {
    return refuse("url", "give a path of the API, /v2/zaps for example")
  }
  const url = parsed.success
  // A gateway has other services beside the API, at the same origin.
  const isBelow = path === "" || url.pathname === path || url.pathname.startsWith(`${path}/`)
  if (url.origin !== origin || !isBelow) {
    return Result.fail(ZapierAuthError.make(new UntrustedOrigin({ origin: url.origin, expected: base })))
  }
  if (url.username !== "" || url.password !== "") {
    return refuse("url", "leave out the user name and password: the library adds the credential")
  }
  // No part of a URL that is sent.
  url.hash = ""
  // There is one client id, and it is not the caller's to choose.
  if (url.search !== "") url.searchParams.delete("client_id")
  return Result.succeed(targetOf(request, url.href, url.pathname.slice(path.length)))
}

const defaultCredential = (modes: ReadonlyArray<Endpoint.Mode>): Credential.Credential =>
  modes.includes("App") ? Credential.app() : modes.includes("ClientId") ? Credential.clientId : Credential.none

/** The credential that the endpoint takes, the user's wherever it is one of them. */
export const pick = (
  user: string | Credential.WhiteLabel,
  { endpoint, path, request }: Target
): Checked<Credential.Credential> => {
  if (endpoint === undefined) {
    const methods = Endpoint.methodsOf(path)
    const others = methods.length === 0 ? "" : `, only ${methods.join(" and ")}`
    return refuse(
      "credential",
      `the endpoint table does not have ${request.method} ${path}${others}; say which credential it takes with ZapierHttpClient.as`
    )
  }
  const { modes } = Endpoint.requirement(endpoint)
  if (!modes.includes("User")) return Result.succeed(defaultCredential(modes))
  return typeof user === "object" ? credential(user) : Result.succeed(Credential.user(user))
}

const isCredential = (given: unknown): given is Credential.Credential => {
  const tag = CallerChecks.isRecord(given) ? given["_tag"] : undefined
  return ["User", "WhiteLabel", "App", "ClientId", "None"].includes(tag as string)
}

const noCredential = refuse("credential", "give one that Credential makes, such as Credential.user(subject)")

/** A credential that a caller has named. */
export const credential = (given: unknown): Checked<Credential.Credential> =>
  isCredential(given) ? Result.succeed(given) : noCredential

// An empty parameter, or one that is a dot segment, would name another endpoint; half a surrogate pair has no encoding.
const dotSegment: TextProblem.Check = (text) => (text === "." || text === ".." ? "it is a dot segment" : undefined)

const fill = (template: string, given: unknown): Checked<string> => {
  if (!template.includes("{")) return Result.succeed(template)
  let filled = template
  for (const [placeholder, name = ""] of template.matchAll(/\{(\w+)\}/g)) {
    const value = CallerChecks.isRecord(given) && Object.hasOwn(given, name) ? given[name] : undefined
    const problem = TextProblem.first(value, dotSegment, TextProblem.unpaired)
    if (problem !== undefined) return refuse(`path.${name}`, `${problem}; give the ${name} that ${template} is about`)
    filled = filled.replace(placeholder, () => encodeURIComponent(String(value)))
  }
  return Result.succeed(filled)
}

// The body that is given, or that `json` comes to; none for what is neither.
const bodyOf = (body: unknown, json: unknown): HttpBody.HttpBody | undefined => {
  if (json === undefined) return HttpBody.isHttpBody(body) ? body : undefined
  try {
    const text: unknown = body === undefined && JSON.stringify(json)
    if (typeof text === "string") return HttpBody.text(text, "application/json")
  } catch {
    // What it says may hold what was to be sent.
  }
  return undefined
}

const isNoObject = (given: unknown) => given !== undefined && (typeof given !== "object" || given === null)

// Any endpoint's options: which of them it takes is proven where it is called, if there are types.
const requestOf = (name: Endpoint.Name, given: { readonly [name: string]: unknown }): Checked<Request> => {
  const { method, path: template } = Endpoint.parts(name)
  const { headers, json, path, urlParams } = given
  const body = bodyOf(given["body"], json)
  if (body === undefined && (json ?? given["body"]) !== undefined) {
    return refuse("body", "give one that HttpBody makes: HttpBody.text, for example; or json instead")
  }
  if (isNoObject(headers)) return refuse("headers", "give an object of texts")
  if (isNoObject(urlParams)) return refuse("urlParams", "give an object of the query's parameters")
  const filled = fill(template, path)
  if (Result.isFailure(filled)) return Result.fail(filled.failure)
  const options = { acceptJson: true, urlParams, headers, body } as HttpClientRequest.Options.NoUrl
  try {
    return Result.succeed(HttpClientRequest.make(method as HttpMethod.HttpMethod)(filled.success, options))
  } catch {
    return refuse("options", "give urlParams and headers whose parts are texts")
  }
}

/** The credential for an endpoint of the table: the one that is given, or the only one that needs no user. */
export const choose = (name: Endpoint.Name, given: unknown): Checked<Credential.Credential> => {
  const { modes } = Endpoint.requirement(name)
  if (given === undefined && modes.includes("User")) {
    return refuse("credential", `say for which user, with Credential.user(subject): ${name} takes a user's grant`)
  }
  const chosen = given ?? defaultCredential(modes)
  if (!isCredential(chosen)) return noCredential
  if (
    modes.length > 0 &&
    (chosen._tag === "None" || !modes.includes(chosen._tag === "WhiteLabel" ? "User" : chosen._tag))
  ) {
    return refuse("credential", `${name} takes ${modes.join(" or ")}, and not ${chosen._tag}`)
  }
  return Result.succeed(chosen)
}

/** The request for an endpoint of the table, and its credential. */
export const named = (
  endpoint: unknown,
  options: unknown = {}
): Checked<{ readonly request: Request; readonly credential: Credential.Credential }> => {
  if (typeof endpoint !== "string" || !Object.hasOwn(Endpoint.table, endpoint)) {
    return refuse("endpoint", "give a name of the endpoint table, GET /v2/zaps for example; for others there is as")
  }
  if (!CallerChecks.isRecord(options)) return refuse("options", "give an object, or leave it out")
  const name = endpoint as Endpoint.Name
  const credential = choose(name, options["credential"])
  if (Result.isFailure(credential)) return Result.fail(credential.failure)
  return Result.map(requestOf(name, options), (request) => ({ request, credential: credential.success }))
}
