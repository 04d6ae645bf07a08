/**
 * HTTP as plain data, so that the fake needs no sockets.
 *
 * @since 0.1.0
 */
import * as UrlParams from "effect/http/UrlParams"

/**
 * A request as it arrives.
 *
 * @since 0.1.0
 */
export interface FakeRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Without `?`. */
  readonly query: string
  /** Names in lower case. */
  readonly headers: { readonly [name: string]: string | undefined }
  readonly body: Uint8Array
  /** The client's address, for rate limits. Default: `defaultAddress`. */
  readonly address?: string | undefined
  /**
   * The base URL under which the fake was called, without the path: links in the response use it. It includes a prefix
   * that a gateway strips from paths, and has no slash at its end. Default: `https://api.zapier.com`.
   */
  readonly base?: string | undefined
}

/**
 * The address of requests that do not say where they come from.
 *
 * @internal
 */
export const defaultAddress = "127.0.0.1"

/**
 * A response: header names are in lower case, and an empty body means none.
 *
 * @since 0.1.0
 */
export interface FakeResponse {
  readonly status: number
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

const encoder = new TextEncoder()

/**
 * Makes a request from a method, a URL or path, headers and a body.
 *
 * @example
 * ```ts
 * import * as FakeHttp from "@zapier-workflow-auth/testing/fake/FakeHttp"
 *
 * FakeHttp.request("GET", "/v1/apps?client_id=abc")
 * ```
 *
 * @since 0.1.0
 */
export const request = (
  method: string,
  url: string,
  options: {
    readonly headers?: { readonly [name: string]: string | undefined }
    readonly body?: string | Uint8Array
    readonly address?: string | undefined
    readonly base?: string | undefined
  } = {}
): FakeRequest => {
  const [beforeQuery = "", ...rest] = (url.split("#", 1)[0] ?? "").split("?")
  const path = beforeQuery.replace(/^[a-z][a-z\d+.-]*:\/\/[^/]*/i, "")
  const headers: { [name: string]: string | undefined } = {}
  for (const name of Object.keys(options.headers ?? {})) headers[name.toLowerCase()] = options.headers?.[name]
  return {
    method,
    path: path === "" ? "/" : path,
    query: rest.join("?"),
    headers,
    body: typeof options.body === "string" ? encoder.encode(options.body) : (options.body ?? new Uint8Array()),
    address: options.address,
    base: options.base
  }
}

/**
 * Makes a request whose body is a form, as `application/x-www-form-urlencoded`.
 *
 * @since 0.1.0
 */
export const form = (
  method: string,
  url: string,
  fields: { readonly [name: string]: string } | ReadonlyArray<readonly [string, string]>,
  headers: { readonly [name: string]: string | undefined } = {}
): FakeRequest =>
  request(method, url, {
    headers: { "content-type": "application/x-www-form-urlencoded", ...headers },
    body: UrlParams.toString(fields)
  })

/**
 * Stands for a response that never came: its status is 0, as in the Fetch standard.
 *
 * @since 0.1.0
 */
export const networkError: FakeResponse = { status: 0, headers: {}, body: "" }

/**
 * A response in JSON.
 *
 * @since 0.1.0
 */
export const json = (
  status: number,
  body: unknown,
  headers: { readonly [name: string]: string } = {}
): FakeResponse => ({
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body)
})

/**
 * A page that must not be stored.
 *
 * @since 0.1.0
 */
export const html = (status: number, body: string): FakeResponse => ({
  status,
  headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  body
})

/**
 * A redirect that sends no referrer.
 *
 * @since 0.1.0
 */
export const redirect = (status: 301 | 302, location: string): FakeResponse => ({
  status,
  headers: { location, "cache-control": "no-store", "referrer-policy": "no-referrer" },
  body: ""
})
