/**
 * The fake Zapier for tests without Effect: a `fetch` for the code under test, and the control operations of
 * `FakeZapier` as promises. It runs on the real clock, which `advance` moves ahead.
 *
 * @example
 * ```ts
 * import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
 *
 * const zapier = FakeZapierPromise.make()
 * const { clientId } = await zapier.registerApp({ name: "Acme", redirectUris: ["https://acme.example/callback"] })
 *
 * const apps = await zapier.fetch(`https://api.zapier.com/v1/apps?client_id=${clientId}`)
 * apps.status // => 200
 *
 * await zapier.addFault({ fault: { _tag: "Unavailable" } })
 * await zapier.advance("10 hours")
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import type { FakeControlError } from "./fake/FakeControl.ts"
import * as FakeZapier from "./FakeZapier.ts"
import * as Web from "./fake/internal/web.ts"

type Service = FakeZapier.FakeZapier["Service"]

type Promised<Operation> = Operation extends (...parameters: infer Parameters) => Effect.Effect<infer A, infer _E>
  ? (...parameters: Parameters) => Promise<A>
  : Operation extends Effect.Effect<infer A>
    ? () => Promise<A>
    : never

/**
 * The operations of `FakeZapier`, as functions that return promises. An invalid call rejects with a `FakeControlError`
 * that says what is valid.
 *
 * @since 0.1.0
 */
export type Operations = {
  readonly [Name in keyof Service as Exclude<Name, "handle" | "state" | "advance">]: Promised<Service[Name]>
}

/**
 * A fake without Effect: its operations, and `fetch`.
 *
 * @since 0.1.0
 */
export interface FakeZapierPromise extends Operations {
  /**
   * Sends every request to the fake, whatever its origin. It never follows redirects. If a fault breaks the connection,
   * it rejects with a `TypeError`; if a fault swallows the response, it waits until its signal is aborted.
   *
   * As a handler of MSW, which represents a broken connection by `Response.error()`: `http.all("https://*", ({ request
   * }) => zapier.fetch(request).catch(() => Response.error()))`.
   */
  readonly fetch: typeof globalThis.fetch

  /** Moves the fake's clock ahead: milliseconds, or a text such as `10 hours`. */
  readonly advance: (by: number | string) => Promise<void>
}

type Outcome = Effect.Effect<unknown, FakeControlError>

const promised =
  (operation: Outcome | ((...parameters: ReadonlyArray<never>) => Outcome)) =>
  (...parameters: ReadonlyArray<never>): Promise<unknown> =>
    Effect.runPromise(Effect.isEffect(operation) ? operation : operation(...parameters))

/**
 * Makes a fake. It needs no closing. Throws a `FakeControlError` for invalid options.
 *
 * @since 0.1.0
 */
export const make = (options?: FakeZapier.Options): FakeZapierPromise => {
  const { handle, state: _, ...operations } = FakeZapier.make(options)
  const promises = Record.map(operations, promised) as Omit<FakeZapierPromise, "fetch">
  return { ...promises, fetch: Web.fetch(handle, Context.empty()) }
}
