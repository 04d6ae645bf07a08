/** What the API refuses with: Zapier's error envelope, in the style of JSON:API. */
import type { FakeResponse } from "../../FakeHttp.ts"
import * as FakeHttp from "../../FakeHttp.ts"

/** The codes and titles of errors, by status. */
export const problems = {
  401: ["not_authenticated", "NotAuthenticated"],
  403: ["permission_denied", "PermissionDenied"],
  404: ["not_found", "NotFound"],
  405: ["method_not_allowed", "MethodNotAllowed"],
  409: ["conflict", "Conflict"],
  429: ["throttled", "Throttled"],
  500: ["internal_error", "InternalError"],
  503: ["service_unavailable", "ServiceUnavailable"]
} as const

type Headers = { readonly [name: string]: string }

export const make = (status: keyof typeof problems, detail: string, headers: Headers = {}): FakeResponse => {
  const [code, title] = problems[status]
  return FakeHttp.json(
    status,
    { errors: [{ status: String(status), code, title, detail, source: null, meta: {} }] },
    headers
  )
}

/** Which part of a request is wrong: a query parameter, or a place in the body as a JSON pointer. */
export type Source = { readonly parameter: string } | { readonly pointer: string }

/** A malformed request, in the one shape that Zapier documents in full. Here the status is a number. */
export const malformed = (detail: string, source: Source | null = null): FakeResponse => {
  const error = { message: detail, code: "parse_error" }
  return FakeHttp.json(400, {
    errors: [
      {
        status: 400,
        code: error.code,
        title: "ParseError",
        detail,
        source,
        meta: { source: "ZAPIER", full_details: error }
      }
    ]
  })
}

export const notFound = (what: string): FakeResponse => make(404, `There is no such ${what}.`)
