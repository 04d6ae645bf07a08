/** What the API refuses with: Zapier's error envelope, in the style of JSON:API. */
import * as FakeHttp from "../../FakeHttp.ts"

const problems = {
  401: ["not_authenticated", "NotAuthenticated"],
  403: ["permission_denied", "PermissionDenied"],
  404: ["not_found", "NotFound"],
  405: ["method_not_allowed", "MethodNotAllowed"],
  429: ["throttled", "Throttled"],
  503: ["service_unavailable", "ServiceUnavailable"]
} as const

type Headers = { readonly [name: string]: string }

export const make = (status: keyof typeof problems, detail: string, headers: Headers = {}): FakeHttp.FakeResponse => {
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
export const malformed = (detail: string, source: Source | null = null): FakeHttp.FakeResponse => {
  const code = "parse_error"
  const meta = { source: "ZAPIER", full_details: { message: detail, code } }
  return FakeHttp.json(400, { errors: [{ status: 400, code, title: "ParseError", detail, source, meta }] })
}

export const notFound = (what: string): FakeHttp.FakeResponse => make(404, `There is no such ${what}.`)
