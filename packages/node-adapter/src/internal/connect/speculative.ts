/**
 * Whether a browser only prepares for a visit that may never come, and says so: `Sec-Purpose` (Fetch and HTML standards), or
 * one of the older headers that mean the same.
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

const names = ["sec-purpose", "purpose", "x-purpose", "x-moz"]

export const isSpeculative = ({ headers }: HttpServerRequest): boolean =>
  names.some((name) => /\b(?:prefetch|prerender|preview)\b/i.test(headers[name] ?? ""))
