/** White Label in a client without Effect. Only clients that use White Label load its modules. */
import type * as Jwks from "@zapier-workflow-auth/core/whitelabel/Jwks"
import type { ConnectTokenOptions, ConnectUrlOptions, WhiteLabel } from "@zapier-workflow-auth/core/WhiteLabel"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as EffectResult from "effect/Result"
import type { Options } from "../../ZapierWhiteLabel.ts"
import * as Failure from "./failure.ts"
import type { Result } from "./failure.ts"
import * as Input from "./input.ts"

/**
 * The values agreed with Zapier for White Label, and the key that signs, or the function of a KMS.
 *
 * @since 0.1.0
 */
export type WhiteLabelOptions = Options

interface Signal {
  readonly signal?: AbortSignal | undefined
}

/**
 * The calls for White Label partners only. Each returns `InvalidConfig` if the option `whiteLabel` was left out.
 *
 * @since 0.1.0
 */
export interface WhiteLabelCalls {
  /** The address of the Connect UI, where the user connects an app. Send the user's browser there at once; it belongs in no log. */
  readonly connectUrl: (
    options: Omit<ConnectUrlOptions, "state"> & { readonly state?: string | undefined } & Signal
  ) => Promise<Result<{ readonly url: string; readonly expiresAt: number }>>
  /** A connect token for another page of Zapier's, such as the authorization page of MCP. */
  readonly connectToken: (
    options: ConnectTokenOptions & Signal
  ) => Promise<Result<{ readonly token: string; readonly expiresAt: number }>>
  /** The access token of a user, for a request that this library does not send. */
  readonly accessToken: (
    options: { readonly subject: string; readonly tenant: string } & Signal
  ) => Promise<Result<{ readonly accessToken: string; readonly expiresAt: number }>>
  /**
   * Serves the partner's public keys at the URL that is registered with Zapier. Keys may be private or public; only public
   * members are published.
   */
  readonly jwks: (keys: Jwks.Keys, request: Request) => Promise<Result<Response>>
}

type Run = <A>(options: Signal | undefined, effect: Effect.Effect<A, ZapierAuthError, ZapierAuth>) => Promise<Result<A>>

const loadJwks = Effect.promise(() => import("@zapier-workflow-auth/core/whitelabel/Jwks"))

/** The calls of a client. */
export const make = (run: Run): WhiteLabelCalls => {
  const calling =
    <O extends Signal, A>(call: (users: WhiteLabel, options: O) => Effect.Effect<A, ZapierAuthError>) =>
    async (given: O): Promise<Result<A>> => {
      const read = Input.read<readonly [O]>([given])
      if (EffectResult.isFailure(read)) return { ok: false, error: Failure.ofError(read.failure) }
      const [options] = read.success
      return run(
        // The core refuses anything but an object.
        Input.isRecord(options) ? options : undefined,
        Effect.flatMap(
          ZapierAuth.use(({ whiteLabel }) => whiteLabel),
          (users) => call(users, options)
        )
      )
    }
  return {
    connectUrl: calling((users, options) =>
      Effect.map(
        users.connectUrl({
          ...options,
          state: options?.state === undefined ? undefined : Redacted.make(options.state)
        }),
        ({ expiresAt, url }) => ({ url: Redacted.value(url), expiresAt })
      )
    ),
    connectToken: calling((users, options) =>
      Effect.map(users.connectToken(options), ({ expiresAt, token }) => ({ token: Redacted.value(token), expiresAt }))
    ),
    accessToken: calling((users, options) =>
      Effect.map(users.token(options), ({ accessToken, expiresAt }) => ({
        accessToken: Redacted.value(accessToken),
        expiresAt
      }))
    ),
    jwks: (keys, request) =>
      run(
        undefined,
        Effect.flatMap(loadJwks, ({ handler }) => Effect.map(handler(keys), (serve) => serve(request)))
      )
  }
}
