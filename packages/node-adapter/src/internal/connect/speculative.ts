/**
 * True if a browser says that it only prepares for a possible visit: by `Sec-Purpose` (Fetch and HTML standards), or an older
 * header with the same meaning.
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

const names = ["sec-purpose", "purpose", "x-purpose", "x-moz"]

export const isSpeculative = ({ headers }: HttpServerRequest): boolean =>
  names.some((name) => /\b(?:prefetch|prerender|preview)\b/i.test(headers[name] ?? ""))
