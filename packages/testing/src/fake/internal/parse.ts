/** Parses paths, queries and bodies. A repeated parameter is an error (RFC 6749 section 3.1). */
import * as MultipartParser from "effect/http/MultipartParser"
import * as Option from "effect/Option"
import type { FakeRequest } from "../FakeHttp.ts"

/** The part of Zapier that a path belongs to. `Unslashed` lacks the slash at the end of its page's path. */
export type Route = "Authorize" | "Token" | "Connect" | "Unslashed" | "Api"

/** The app in the path of a Connect page. */
export const connectApp = (path: string): string | undefined =>
  path.startsWith("/to/") ? /^\/to\/([^/]+)$/.exec(path)?.[1] : undefined

export const route = (path: string): Route => {
  switch (path) {
    case "/v2/authorize":
    case "/v2/authorize/":
    case "/oauth/authorize/":
      return "Authorize"
    case "/oauth/token/":
      return "Token"
    case "/oauth/token":
    case "/oauth/authorize":
      return "Unslashed"
    default:
      return connectApp(path) === undefined ? "Api" : "Connect"
  }
}

/** True for a page for browsers, false for an endpoint for programs. */
export const isPage = (path: string): boolean => {
  const found = route(path)
  return found === "Authorize" || found === "Connect"
}

export interface Parameters {
  readonly get: (name: string) => string | undefined
  readonly names: () => ReadonlyArray<string>
  readonly duplicate: string | undefined
}

export const parameters = (entries: URLSearchParams): Parameters => {
  const values = new Map<string, string>()
  let duplicate: string | undefined
  // An iterator takes longer than everything else here.
  entries.forEach((value, name) => {
    if (values.has(name)) duplicate ??= name
    else values.set(name, value)
  })
  // Parameters without a value are treated as missing (RFC 6749 section 3.1).
  return {
    get: (name) => values.get(name) || undefined,
    names: () => [...values.keys()],
    duplicate
  }
}

export const none: Parameters = parameters(new URLSearchParams())

export const query = (request: FakeRequest): Parameters =>
  request.query === "" ? none : parameters(new URLSearchParams(request.query))

const decoder = new TextDecoder()

const multipart = (request: FakeRequest): URLSearchParams | undefined => {
  const entries = new URLSearchParams()
  let failed = false
  let latest: MultipartParser.PartInfo | undefined
  const parser = MultipartParser.make({
    headers: { "content-type": request.headers["content-type"] ?? "" },
    // Files are not parameters.
    isFile: ({ filename }) => filename !== undefined,
    onField: (info: MultipartParser.PartInfo | undefined, value) => {
      // A part with unterminated headers comes with those of the part before, or with none.
      if (info === undefined || info === latest) failed = true
      else entries.append(info.name, MultipartParser.decodeField(info, value))
      latest = info
    },
    onFile: () => () => undefined,
    onError: () => {
      failed = true
    },
    onDone: () => undefined
  })
  parser.write(request.body)
  parser.end()
  return failed ? undefined : entries
}

const mediaType = (request: FakeRequest) =>
  (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase()

/** A form body in either encoding, or `undefined` if it is none. */
export const form = (request: FakeRequest): Parameters | undefined => {
  switch (mediaType(request)) {
    case "application/x-www-form-urlencoded":
      return parameters(new URLSearchParams(decoder.decode(request.body)))
    case "multipart/form-data": {
      const entries = multipart(request)
      return entries && parameters(entries)
    }
    default:
      return undefined
  }
}

const strictDecoder = new TextDecoder("utf-8", { fatal: true })

const utf8 = Option.liftThrowable((body: Uint8Array) => strictDecoder.decode(body))

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

/** A parsed JSON text, or `undefined` if it is none. */
export const jsonText = (text: string): unknown => Option.getOrUndefined(parseJson(text))

/** A JSON body, or `undefined` if it is none. */
export const json = (request: FakeRequest): unknown => {
  const text = Option.getOrUndefined(utf8(request.body))
  return mediaType(request) === "application/json" && text !== undefined ? jsonText(text) : undefined
}
