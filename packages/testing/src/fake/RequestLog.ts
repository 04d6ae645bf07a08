/**
 * The requests to the fake with their responses. Tests can read them in full; printed, secrets are masked.
 *
 * @since 0.1.0
 */
import * as Inspectable from "effect/Inspectable"
import * as UrlParams from "effect/http/UrlParams"
import type { Fault } from "./FakeFault.ts"
import type { FakeRequest } from "./FakeHttp.ts"
import type { Handled, Issued } from "./FakeOutcome.ts"

/**
 * A request and its response. When printed, it shows its line.
 *
 * @since 0.1.0
 */
export class Entry extends Inspectable.Class {
  readonly request: FakeRequest
  /** The status, whether or not the response arrived. 0 if the request itself did not arrive. */
  readonly status: number
  /** The fake's time, in milliseconds since the epoch. */
  readonly at: number
  /** The injected fault. */
  readonly fault: Fault | undefined
  /** The tokens in the response, whether or not it arrived. */
  readonly issued: Issued | undefined

  constructor(request: FakeRequest, { fault, issued, response }: Handled, at: number) {
    super()
    this.request = request
    this.status = response.status
    this.at = at
    this.fault = fault
    this.issued = issued
  }

  /** Method, path, parameters of query and form with secrets masked, status, and fault. */
  get line(): string {
    return line(this.request, this.status, this.fault)
  }

  toJSON(): unknown {
    return { _id: "RequestLog.Entry", line: this.line, at: this.at }
  }
}

const secrets = [
  "access_token",
  "actor_token",
  "client_secret",
  "code",
  "code_challenge",
  "code_verifier",
  "refresh_token",
  "session",
  "state",
  "subject_token",
  "token"
]

const decoder = new TextDecoder()

const isForm = (request: FakeRequest) =>
  (request.headers["content-type"] ?? "").startsWith("application/x-www-form-urlencoded")

const masked = (text: string) => UrlParams.redactUrl(`?${text}`, secrets)

const scheme = (header: string | undefined) => (header === undefined ? "" : ` [${header.split(" ", 1)[0]}]`)

/**
 * Describes a request in one line: method, path, parameters of query and form with secrets masked, and the scheme of
 * its credential.
 *
 * @since 0.1.0
 */
export const asked = (request: FakeRequest): string => {
  const query = request.query === "" ? "" : masked(request.query)
  const form = isForm(request) ? ` ${masked(decoder.decode(request.body)).slice(1)}` : ""
  return `${request.method} ${request.path}${query}${form}${scheme(request.headers["authorization"])}`
}

/**
 * Describes a request in one line, with the status and the injected fault.
 *
 * @since 0.1.0
 */
export const line = (request: FakeRequest, status: number, fault?: Fault): string =>
  `${asked(request)} -> ${status === 0 ? "no response" : status}${fault === undefined ? "" : ` (${fault._tag})`}`
