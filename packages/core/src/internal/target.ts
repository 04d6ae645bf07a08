/** Decides the URL and credential of a request, and refuses requests that cannot be sent. */
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

/** The address of the API, and the origin that may receive credentials. */
export interface Api {
  readonly base: string
  readonly origin: string | undefined
  /** The path of the base: empty unless a gateway is in front of the API. */
  readonly path: string
  /** Whole URLs of the table's paths without parameters, which most calls use. Empty behind a gateway. */
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
    // An invalid URL has no origin, so no request gets a credential.
    onFailure: () => ({ base, origin: undefined, path: "", known: new Map() })
  })
}

const targetOf = (request: Request, url: string, path: string): Target => ({
  request: HttpClientRequest.setUrl(request, url),
  endpoint: Endpoint.match(request.method, path),
  path
})

// Such a path cannot lead elsewhere, so it is not parsed: most calls have one, and parsing would double their cost.
const plainPath = /^(?:\/[\w-]+)+\/?$/

// The methods that `fetch` can send (Fetch standard, section 2.2.1).
const methods: ReadonlySet<string> = new Set([...HttpMethod.all].filter((method) => method !== "TRACE"))

const token = /^[\w!#$%&'*+.^`|~-]+$/

// The characters that a header can carry (Fetch standard, section 2.2.2).
const unsendable = TextProblem.holds(/[^\t\x20-\x7E\x80-\xFF]/, "a character that no header can carry")

const unsendableHeader = (headers: Request["headers"]): ZapierAuthError | undefined => {
  for (const name in headers) {
    // A fast path: nearly every request has only this header.
    if (name === "accept" && headers[name] === "application/json") continue
    if (!token.test(name)) return CallerChecks.invalid("headers", "a header name has invalid characters")
    const value: unknown = headers[name]
    // A header may be empty.
    const problem = value === "" ? undefined : TextProblem.first(value, unsendable)
    if (problem !== undefined) return CallerChecks.invalid(`headers.${name}`, `${problem}; give text on one line`)
  }
  return undefined
}

const unsendablePart = ({ body, headers, method, url }: Request): ZapierAuthError | undefined => {
  if (!methods.has(method)) {
    return CallerChecks.invalid("method", `give one of ${[...methods].join(", ")}, in capital letters`)
  }
  if (typeof url !== "string") return CallerChecks.invalid("url", "give a path of the API, for example /v2/zaps")
  if (body._tag !== "Empty" && (method === "GET" || method === "HEAD")) {
    return CallerChecks.invalid("body", `omit it: ${method} requests have no body. Put query parameters into the path`)
  }
  return unsendableHeader(headers)
}

/** Aims a request at the API's origin, or explains why it must not have a credential. */
export const aim = ({ base, known, origin, path }: Api, request: Request): Checked<Target> => {
  const wrong = unsendablePart(request)
  if (wrong !== undefined) return Result.fail(wrong)
  const whole = known.get(request.url)
  if (whole !== undefined) return Result.succeed(targetOf(request, whole, request.url))
  if (base === origin && plainPath.test(request.url)) {
    return Result.succeed(targetOf(request, `${origin}${request.url}`, request.url))
  }
  if (/^[^?#]*[{}]/.test(request.url)) {
    return refuse("url", "it contains a brace: fill in the path parameter")
  }
  const parsed = Url.fromString(request.url.startsWith("/") ? `${base}${request.url}` : request.url)
  if (Result.isFailure(parsed) || !/^https?:$/.test(parsed.success.protocol)) {
    return refuse("url", "give a path of the API, for example /v2/zaps")
  }
  const url = parsed.success
  // A gateway may serve other things beside the API at the same origin.
  const isBelow = path === "" || url.pathname === path || url.pathname.startsWith(`${path}/`)
  if (url.origin !== origin || !isBelow) {
    return Result.fail(ZapierAuthError.make(new UntrustedOrigin({ origin: url.origin, expected: base })))
  }
  if (url.username !== "" || url.password !== "") {
    return refuse("url", "remove the user name and password: the library adds the credential")
  }
  // A fragment is never sent.
  url.hash = ""
  // Only the configured client id may be sent.
  if (url.search !== "") url.searchParams.delete("client_id")
  return Result.succeed(targetOf(request, url.href, url.pathname.slice(path.length)))
}

const defaultCredential = (modes: ReadonlyArray<Endpoint.Mode>): Credential.Credential =>
  modes.includes("App") ? Credential.app() : modes.includes("ClientId") ? Credential.clientId : Credential.none

/** Picks the credential that the endpoint accepts, preferably the user's. */
export const pick = (
  user: string | Credential.WhiteLabel,
  { endpoint, path, request }: Target
): Checked<Credential.Credential> => {
  if (endpoint === undefined) {
    const methods = Endpoint.methodsOf(path)
    const others = methods.length === 0 ? "" : `, but ${methods.join(" and ")}`
    return refuse(
      "credential",
      `the endpoint table does not have ${request.method} ${path}${others}; set the credential yourself (ZapierHttpClient.as, or fetch's option credential)`
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

const noCredential = refuse("credential", "make it with Credential, for example Credential.user(subject)")

/** Validates a caller's credential. */
export const credential = (given: unknown): Checked<Credential.Credential> =>
  isCredential(given) ? Result.succeed(given) : noCredential

// An empty parameter or a dot segment would name another endpoint; an unpaired surrogate has no encoding.
const dotSegment: TextProblem.Check = (text) => (text === "." || text === ".." ? "it is a dot segment" : undefined)

const fill = (template: string, given: unknown): Checked<string> => {
  if (!template.includes("{")) return Result.succeed(template)
  let filled = template
  for (const [placeholder, name = ""] of template.matchAll(/\{(\w+)\}/g)) {
    const value = CallerChecks.isRecord(given) && Object.hasOwn(given, name) ? given[name] : undefined
    const problem = TextProblem.first(value, dotSegment, TextProblem.unpaired)
    if (problem !== undefined) return refuse(`path.${name}`, `${problem}; give the ${name} for ${template}`)
    filled = filled.replace(placeholder, () => encodeURIComponent(String(value)))
  }
  return Result.succeed(filled)
}

// Makes the body from `body` or `json`; `undefined` for invalid values.
const bodyOf = (body: unknown, json: unknown): HttpBody.HttpBody | undefined => {
  if (json === undefined) return HttpBody.isHttpBody(body) ? body : undefined
  try {
    const text: unknown = body === undefined && JSON.stringify(json)
    if (typeof text === "string") return HttpBody.text(text, "application/json")
  } catch {
    // The error may hold the body, so it is dropped.
  }
  return undefined
}

const isNoObject = (given: unknown) => given !== undefined && (typeof given !== "object" || given === null)

// The options of any endpoint. Types check the combination where there are types.
const requestOf = (name: Endpoint.Name, given: { readonly [name: string]: unknown }): Checked<Request> => {
  const { method, path: template } = Endpoint.parts(name)
  const { headers, json, path, urlParams } = given
  const body = bodyOf(given["body"], json)
  if (body === undefined && (json ?? given["body"]) !== undefined) {
    return refuse("body", "make it with HttpBody, for example HttpBody.text, or pass json instead")
  }
  if (isNoObject(headers)) return refuse("headers", "give an object of texts")
  if (isNoObject(urlParams)) return refuse("urlParams", "give an object of query parameters")
  const filled = fill(template, path)
  if (Result.isFailure(filled)) return Result.fail(filled.failure)
  const options = { acceptJson: true, urlParams, headers, body } as HttpClientRequest.Options.NoUrl
  try {
    return Result.succeed(HttpClientRequest.make(method as HttpMethod.HttpMethod)(filled.success, options))
  } catch {
    return refuse("options", "give texts as the values of urlParams and headers")
  }
}

/** Chooses the credential for an endpoint: the given one, or the only one that needs no user. */
export const choose = (name: Endpoint.Name, given: unknown): Checked<Credential.Credential> => {
  const { modes } = Endpoint.requirement(name)
  if (given === undefined && modes.includes("User")) {
    return refuse("credential", `name the user with Credential.user(subject): ${name} takes a user's token`)
  }
  const chosen = given ?? defaultCredential(modes)
  if (!isCredential(chosen)) return noCredential
  if (
    modes.length > 0 &&
    (chosen._tag === "None" || !modes.includes(chosen._tag === "WhiteLabel" ? "User" : chosen._tag))
  ) {
    return refuse("credential", `${name} accepts ${modes.join(" or ")}, not ${chosen._tag}`)
  }
  return Result.succeed(chosen)
}

/** Makes the request for an endpoint of the table, and its credential. */
export const named = (
  endpoint: unknown,
  options: unknown = {}
): Checked<{ readonly request: Request; readonly credential: Credential.Credential }> => {
  if (typeof endpoint !== "string" || !Object.hasOwn(Endpoint.table, endpoint)) {
    return refuse(
      "endpoint",
      "give a name from the endpoint table, for example GET /v2/zaps; for other endpoints use ZapierHttpClient.as"
    )
  }
  if (!CallerChecks.isRecord(options)) return refuse("options", "pass an object, or omit it")
  const name = endpoint as Endpoint.Name
  const credential = choose(name, options["credential"])
  if (Result.isFailure(credential)) return Result.fail(credential.failure)
  return Result.map(requestOf(name, options), (request) => ({ request, credential: credential.success }))
}
