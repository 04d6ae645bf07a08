/**
 * What callers give to `ZapierPromise`, as the core takes it. Only what the core never sees is checked here: options of plain
 * values, of which a program in JavaScript may give any.
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

/** Whether it has members that can be asked for by name. */
export const isRecord = (value: unknown): value is Given =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// What is sent, and may be of any depth.
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

/** What a caller gives, read once: what throws when it is read, or changes later, is the caller's. */
export const read = <Args extends ReadonlyArray<unknown>>(given: Args): Checked<Args> =>
  Result.try({
    try: () => given.map((argument) => copy(argument, 2)) as unknown as Args,
    catch: () => invalid("options", "give plain values: something throws when it is read")
  })

/** Whether it has what the routes look at. Not by its class: frameworks have their own of it. */
export const isRequest = (value: unknown): value is Request =>
  typeof value === "object" &&
  value !== null &&
  "url" in value &&
  typeof value.url === "string" &&
  URL.canParse(value.url) &&
  "headers" in value &&
  isRecord(value.headers) &&
  typeof value.headers["get"] === "function"

// Not by its class: test runners have their own of it.
const isSignal = (value: unknown): value is AbortSignal =>
  isRecord(value) && typeof value["throwIfAborted"] === "function" && typeof value["addEventListener"] === "function"

/** The signal of a call's options, if it has one. */
export const signal = (options: unknown): Checked<AbortSignal | undefined> => {
  if (options === undefined) return Result.succeed(undefined)
  if (!isRecord(options)) return refuse("options", "pass an object, or omit it")
  const given = options["signal"]
  if (given === undefined || given === null) return Result.succeed(undefined)
  return isSignal(given) ? Result.succeed(given) : refuse("signal", "give an AbortSignal, or leave it out")
}

const jsonOf = (value: unknown): Checked<HttpBody.HttpBody> => {
  const notJson = () =>
    invalid("json", "give what JSON can hold: no function, no BigInt, and nothing that contains itself")
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
  return refuse("body", "give text or bytes (Uint8Array), or anything else as json")
}

const withHeaders = (request: HttpClientRequest.HttpClientRequest, headers: unknown) =>
  headers === undefined
    ? Result.succeed(request)
    : Result.try({
        try: () => HttpClientRequest.setHeaders(request, headers as Headers.Input),
        catch: () => invalid("headers", "give an object of texts")
      })

/** The request of a call. Whether it can be sent, and where to, the core decides. */
export const request = (path: unknown, options: Given): Checked<HttpClientRequest.HttpClientRequest> => {
  if (typeof path !== "string") return refuse("path", "give a path of the API as text, /v2/zaps for example")
  const bare = HttpClientRequest.make((options["method"] ?? "GET") as HttpMethod)(path)
  return Result.flatMap(withHeaders(bare, options["headers"]), (request) =>
    Result.map(bodyOf(options, request.headers["content-type"]), (body) => HttpClientRequest.setBody(request, body))
  )
}
