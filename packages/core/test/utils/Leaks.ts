/**
 * Looks for secrets as a tracer, a logger or an error reporter could find them: in own properties, enumerable or not, in
 * what a value iterates over, in what its platform shows of it, and in every way in which it is written as text.
 */
import { inspect } from "node:util"
import * as Cause from "effect/Cause"

// More than any value of a test has, unless it holds the whole process.
const most = 200_000

const textOf = (bytes: ArrayBuffer | ArrayBufferView) => new TextDecoder().decode(bytes)

const attempt = (read: () => unknown): unknown => {
  try {
    return read()
  } catch {
    return undefined
  }
}

// What a reporter reads off an error or a request although it is no own property.
const accessors = ["name", "message", "stack", "cause", "request", "response", "headers", "url", "href", "status"]

const iterables = [Map, Set, Headers, URLSearchParams, FormData] as const

const partsOf = (value: object): ReadonlyArray<readonly [string, unknown]> => {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return [["(bytes)", textOf(value)]]
  const own = Reflect.ownKeys(value)
  return [
    ...own.map((key) => [String(key), attempt(() => (value as Record<PropertyKey, unknown>)[key])] as const),
    ...own.map((key) => ["(key)", String(key)] as const),
    ...accessors.map((key) => [key, attempt(() => (value as Record<string, unknown>)[key])] as const),
    ...(iterables.some((type) => value instanceof type)
      ? [["(entries)", [...(value as Iterable<unknown>)]] as const]
      : []),
    ["toJSON()", attempt(() => (value as { toJSON?: () => unknown }).toJSON?.())],
    ["toString()", attempt(() => (value as { toString?: () => unknown }).toString?.())]
  ]
}

/** What is written of a value as a whole. */
const written = (value: unknown): ReadonlyArray<readonly [string, string]> => [
  ["inspect", inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true })],
  ["JSON", String(attempt(() => JSON.stringify(value, (_, part) => (typeof part === "bigint" ? `${part}` : part))))],
  ["pretty", Cause.isCause(value) ? Cause.pretty(value) : ""]
]

// Base64 of a text around the secret: what is the same for any text, by where the secret begins.
const insideBase64 = (secret: string): ReadonlyArray<string> =>
  [0, 1, 2].map((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)])
    return bytes.toString("base64").slice(Math.ceil((offset * 8) / 6), Math.floor((bytes.length * 8) / 6))
  })

/** As it is, percent-encoded, and in base64 of either alphabet, by itself or inside of a longer text. */
const encodings = (secret: string): ReadonlyArray<string> => {
  const base64 = insideBase64(secret).filter(({ length }) => length >= 7)
  const all = [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams([["", secret]]).toString().slice(1),
    ...base64,
    ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))
  ]
  return [...new Set(all)]
}

/** The names of the secrets that a text holds in any encoding. */
export const inText = (text: string, secrets: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  [...secrets].flatMap(([name, secret]) => (encodings(secret).some((form) => text.includes(form)) ? [name] : []))

/** Every text that is found in a value, with the way to it. */
export const texts = (value: unknown): ReadonlyArray<readonly [path: string, text: string]> => {
  const found: Array<readonly [string, string]> = []
  const seen = new Set<unknown>()
  const todo: Array<readonly [path: string, part: unknown]> = [["", value], ...written(value)]
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [path, part] = next
    if (typeof part === "string") found.push([path, part])
    if (typeof part !== "object" || part === null || seen.has(part)) continue
    seen.add(part)
    if (seen.size > most) throw new Error(`too much to look through, at ${path.slice(0, 200)}`)
    for (const [name, inner] of partsOf(part)) todo.push([`${path}.${name}`, inner])
  }
  return found
}

/**
 * Where a value shows secrets, as `path: name`. Says nothing of the secrets themselves.
 *
 * @param secrets the secrets, by a name for each
 */
export const leaks = (value: unknown, secrets: ReadonlyMap<string, string>): ReadonlyArray<string> => [
  ...new Set(texts(value).flatMap(([path, text]) => inText(text, secrets).map((name) => `${path}: ${name}`)))
]
