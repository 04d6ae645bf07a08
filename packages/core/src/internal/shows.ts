/** Whether somebody who looks into a value, as reporters of errors do, finds a secret in it. */
import * as Result from "effect/Result"

// A value that has more parts than this is not looked through to its end.
const most = 2_000

// What platforms give away by accessors, of which they have no own property.
const accessors = ["message", "stack", "cause", "request", "response", "headers", "url", "href"]

// Node loads all of its `fetch` when one of these is first named, which takes longer than the rest of this library.
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
 * Whether one of the secrets is in the value: in a text, in bytes, or anywhere below an own property, a known accessor or
 * an entry. What cannot be looked through to its end counts as if it had one.
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
