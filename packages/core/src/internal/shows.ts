/** Searches values for secrets, as deeply as error reporters inspect them. */
import * as Result from "effect/Result"

// Values with more parts than this are not searched to the end.
const most = 2_000

// Accessors of platform objects that are not own properties.
const accessors = ["message", "stack", "cause", "request", "response", "headers", "url", "href"]

// A function, because naming one of these loads all of Node's `fetch`, which takes longer than the rest of this library.
const iterables = () => [Map, Set, Headers, URLSearchParams, FormData] as const

const isObject = (value: unknown): value is Record<PropertyKey, unknown> => typeof value === "object" && value !== null

const partsOf = (value: Record<PropertyKey, unknown>): ReadonlyArray<unknown> => {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return [new TextDecoder().decode(value)]
  const own = Reflect.ownKeys(value)
  const { toJSON } = value
  return [
    ...own,
    ...own.map((key) => value[key]),
    ...accessors.map((key) => value[key]),
    ...(iterables().some((type) => value instanceof type) ? (value as unknown as Iterable<unknown>) : []),
    typeof toJSON === "function" ? toJSON.call(value) : undefined
  ]
}

/**
 * True if a secret is in the value: in text, bytes, or anywhere below an own property, known accessor or entry. True also
 * for a value that cannot be searched to the end.
 */
export const shows = (value: unknown, secrets: ReadonlyArray<string>): boolean => {
  if (secrets.length === 0) return false
  const seen = new Set<unknown>()
  const todo = [value]
  while (todo.length > 0) {
    const next = todo.pop()
    if (typeof next === "string" && secrets.some((secret) => next.includes(secret))) return true
    if (!isObject(next) || seen.has(next)) continue
    if (seen.add(next).size > most) return true
    const parts = Result.try(() => partsOf(next))
    if (Result.isFailure(parts)) return true
    for (const part of parts.success) todo.push(part)
  }
  return false
}
