/**
 * What the fake was asked and what it answered. The request itself is there for assertions; what is printed is masked.
 *
 * @since 0.1.0
 */
import * as Inspectable from "effect/Inspectable"
import * as UrlParams from "effect/http/UrlParams"
import type { FakeRequest, FakeResponse } from "./FakeHttp.ts"

/**
 * One request and its answer. Printed, it is its line.
 *
 * @since 0.1.0
 */
export class Entry extends Inspectable.Class {
  readonly request: FakeRequest
  readonly status: number
  /** By the fake's clock, in milliseconds since the epoch. */
  readonly at: number

  constructor(fields: { readonly request: FakeRequest; readonly status: number; readonly at: number }) {
    super()
    this.request = fields.request
    this.status = fields.status
    this.at = fields.at
  }

  /** Method, path, parameters of query and form with secrets masked, and the status. */
  get line(): string {
    return line(this.request, this.status)
  }

  toJSON(): unknown {
    return { _id: "RequestLog.Entry", line: this.line, at: this.at }
  }
}

/**
 * @since 0.1.0
 */
export const entry = (request: FakeRequest, response: FakeResponse, at: number): Entry =>
  new Entry({ request, status: response.status, at })

const secrets = ["access_token", "client_secret", "code", "code_challenge", "code_verifier", "refresh_token", "state"]

const decoder = new TextDecoder()

const isForm = (request: FakeRequest) =>
  (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")

const masked = (text: string) => UrlParams.redactUrl(`?${text}`, secrets)

const scheme = (header: string | undefined) => (header === undefined ? "" : ` [${header.split(" ", 1)[0]}]`)

/**
 * A request as one line: method, path, parameters of query and form with secrets masked, the scheme of its credential,
 * and the status.
 *
 * @since 0.1.0
 */
export const line = (request: FakeRequest, status: number): string => {
  const query = request.query === "" ? "" : masked(request.query)
  const form = isForm(request) ? ` ${masked(decoder.decode(request.body)).slice(1)}` : ""
  return `${request.method} ${request.path}${query}${form}${scheme(request.headers["authorization"])} -> ${status}`
}
