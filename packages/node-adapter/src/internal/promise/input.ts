/**
 * Converts callers' input for the core. Only input that the core never sees is validated here: plain options, which in
 * JavaScript may be anything.
 */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as HttpBody from "effect/http/HttpBody"
import type * as Headers from "effect/http/Headers"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Result from "effect/Result"

type Given = { readonly [name: string]: unknown }

type Checked<A> = Result.Result<A, ZapierAuthError>

export const invalid = (setting: string, problem: string): ZapierAuthError =>
  ZapierAuthError.make(new InvalidConfig({ setting, problem }))

const refuse = (setting: string, problem: string): Checked<never> => Result.fail(invalid(setting, problem))

/** True for an object with named members. */
export const isRecord = (value: unknown): value is Given =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// Values to send, of any depth.
const bodies: ReadonlySet<string> = new Set(["json", "body"])

const isPlain = (value: object) => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const copy = (value: unknown, depth: number): unknown => {
  if (depth === 0 || typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map((member) => copy(member, depth - 1))
  if (!isPlain(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, bodies.has(name) ? member : copy(member, depth - 1)])
  )
}

/** Copies callers' input once, so that later changes do not matter and throwing getters are the caller's failure. */
export const read = <Args extends ReadonlyArray<unknown>>(given: Args): Checked<Args> =>
  Result.try({
    try: () => given.map((argument) => copy(argument, 2)) as unknown as Args,
    catch: () => invalid("options", "pass plain values: reading one of them threw an error")
  })

/** True if it has the members that the routes read. Not by class, because frameworks have their own. */
export const isRequest = (value: unknown): value is Request =>
  typeof value === "object" &&
  value !== null &&
  "url" in value &&
  typeof value.url === "string" &&
  URL.canParse(value.url) &&
  "headers" in value &&
  isRecord(value.headers) &&
  typeof value.headers["get"] === "function"

// Not by class, because test runners have their own.
const isSignal = (value: unknown): value is AbortSignal =>
  isRecord(value) && typeof value["throwIfAborted"] === "function" && typeof value["addEventListener"] === "function"

/** The signal in a call's options, if any. */
export const signal = (options: unknown): Checked<AbortSignal | undefined> => {
  if (options === undefined) return Result.succeed(undefined)
  if (!isRecord(options)) return refuse("options", "pass an object, or omit it")
  const given = options["signal"]
  if (given === undefined || given === null) return Result.succeed(undefined)
  return isSignal(given) ? Result.succeed(given) : refuse("signal", "pass an AbortSignal, or omit it")
}

const jsonOf = (value: unknown): Checked<HttpBody.HttpBody> => {
  const notJson = () =>
    invalid("json", "pass a value that JSON can represent: no function, no BigInt, and no circular reference")
  return Result.flatMap(
    Result.try({ try: (): unknown => JSON.stringify(value), catch: notJson }),
    (text): Checked<HttpBody.HttpBody> =>
      typeof text === "string" ? Result.succeed(HttpBody.text(text, "application/json")) : Result.fail(notJson())
  )
}

const bodyOf = ({ body, json }: Given, type: string | undefined): Checked<HttpBody.HttpBody> => {
  if (json !== undefined) return jsonOf(json)
  if (body === undefined || body === null) return Result.succeed(HttpBody.empty)
  if (typeof body === "string") return Result.succeed(HttpBody.text(body, type))
  if (body instanceof Uint8Array) return Result.succeed(HttpBody.uint8Array(body, type))
  return refuse("body", "pass text or bytes (Uint8Array), or use json for other values")
}

const withHeaders = (request: HttpClientRequest.HttpClientRequest, headers: unknown) =>
  headers === undefined
    ? Result.succeed(request)
    : Result.try({
        try: () => HttpClientRequest.setHeaders(request, headers as Headers.Input),
        catch: () => invalid("headers", "give an object of texts")
      })

/** Makes the request of a call. The core decides if and where it can be sent. */
export const request = (path: unknown, options: Given): Checked<HttpClientRequest.HttpClientRequest> => {
  if (typeof path !== "string") return refuse("path", "give a path of the API as text, for example /v2/zaps")
  const bare = HttpClientRequest.make((options["method"] ?? "GET") as HttpMethod)(path)
  return Result.flatMap(withHeaders(bare, options["headers"]), (request) =>
    Result.map(bodyOf(options, request.headers["content-type"]), (body) => HttpClientRequest.setBody(request, body))
  )
}
