/**
 * The redirect back from Zapier's Connect UI, parsed as strictly as that of the consent page: anyone can call the route.
 *
 * Source: Zapier's White Label pages "Connection flow" and "Error handling". The redirect has `authentication_id` and
 * `service`, or `error` and `error_description`; `state` comes back with it.
 */
import {
  AuthorizationRefused,
  ConsentDenied,
  ConsentExpired,
  InvalidCallback,
  type ZapierAuthError
} from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"

/**
 * The user's connection to an app at Zapier.
 *
 * @since 0.1.0
 */
export interface AppConnection {
  /** Its id, the `authentication` of actions and Zaps. */
  readonly id: string
  /** The app's key at Zapier, such as `SlackCLIAPI`; `undefined` if Zapier did not name it. */
  readonly service: string | undefined
}

export interface Callback {
  readonly state: Redacted.Redacted
  readonly result: Result.Result<AppConnection, ZapierAuthError["reason"]>
}

// Errors and descriptions as documented. They are compared and never repeated.
const reasonOf = (error: string, description = ""): ZapierAuthError["reason"] => {
  const isRefusedByApp = error === "server_error" && description.startsWith("OAuth Failed")
  if (isRefusedByApp || (error === "access_denied" && description !== "User not found")) return new ConsentDenied({})
  const isTooLate = description === "Token expired" || description === "Invalid token"
  if (error === "invalid_request" && isTooLate) return new ConsentExpired({ what: "attempt" })
  const known = ["invalid_request", "access_denied", "server_error"].includes(error)
  return new AuthorizationRefused({ error: known ? error : "an error that Zapier does not document" })
}

const longest = 4_096

export const parse = (query: URLSearchParams): Result.Result<Callback, InvalidCallback> =>
  Result.gen(function* () {
    const fail = (problem: string) => Result.fail(new InvalidCallback({ problem }))
    const atMostOne = (name: string): Result.Result<string | undefined, InvalidCallback> => {
      const [first, ...more] = query.getAll(name)
      if (more.length > 0) return fail(`${name} appears more than once`)
      if (first === undefined) return Result.succeed(first)
      if (first === "" || first.length > longest) return fail(`${name} is empty or too long`)
      return /^[\x20-\x7E]+$/.test(first)
        ? Result.succeed(first)
        : fail(`${name} has characters that are not printable ASCII`)
    }
    const state = yield* atMostOne("state")
    const id = yield* atMostOne("authentication_id")
    const service = yield* atMostOne("service")
    const error = yield* atMostOne("error")
    if (state === undefined) return yield* fail("state is missing")
    if (id !== undefined && error !== undefined) return yield* fail("it has both authentication_id and error")
    if (id !== undefined) return { state: Redacted.make(state), result: Result.succeed({ id, service }) }
    if (error === undefined) return yield* fail("it has neither authentication_id nor error")
    // Free text, in any characters.
    const [description, ...more] = query.getAll("error_description")
    if (more.length > 0) return yield* fail("error_description appears more than once")
    return { state: Redacted.make(state), result: Result.fail(reasonOf(error, description)) }
  })
