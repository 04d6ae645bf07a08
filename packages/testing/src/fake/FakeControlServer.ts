/**
 * Serves the fake over HTTP, with a control page for people and a control API for tests in other languages. It serves
 * what `FakeZapier.layerServer` serves, and under `/_control/` a page that shows the fake's state, with buttons for
 * what no client can do, and the same as a JSON API.
 *
 * It is for the local machine: it rejects requests from other machines, under other host names, or sent by other sites;
 * and the page and the API need a token.
 *
 * The API: `GET /_control/api/` lists the paths: readings, and actions, which are the operations of `FakeZapier`, each
 * with its parameters as a JSON object. An invalid request gets 400 and an `error` that says what is valid.
 *
 * ```sh
 * curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:9270/_control/api/requests
 * curl -H "Authorization: Bearer $TOKEN" --json '{"by": "10 hours"}' http://127.0.0.1:9270/_control/api/advance
 * ```
 *
 * @example
 * ```ts no-run
 * import { createServer } from "node:http"
 * import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
 * import * as FakeControlServer from "@zapier-workflow-auth/testing/fake/FakeControlServer"
 * import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
 * import * as SecureRandom from "effect/crypto/SecureRandom"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 *
 * const layer = FakeControlServer.layer().pipe(
 *   Layer.provideMerge(FakeZapier.layer()),
 *   Layer.provide(SecureRandom.layerWebCrypto),
 *   Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 9270 }))
 * )
 *
 * const program = Effect.gen(function* () {
 *   const { url } = yield* FakeControlServer.FakeControlServer
 *   console.log(`The control page is at ${Redacted.value(url)}`)
 *   return yield* Effect.never // It serves until it is interrupted.
 * })
 *
 * await Effect.runPromise(Effect.provide(program, layer))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { FakeControlError } from "./FakeControl.ts"
import type { FakeRequest } from "./FakeHttp.ts"
import * as FakeZapier from "../FakeZapier.ts"
import * as Given from "./internal/given.ts"
import * as Control from "./internal/control/handle.ts"
import * as Guard from "./internal/control/guard.ts"
import * as Faults from "./internal/faults.ts"
import * as Serve from "./internal/serve.ts"
import * as ServedAt from "./internal/servedAt.ts"

/**
 * The addresses of the control page and API.
 *
 * @since 0.1.0
 */
export class FakeControlServer extends Context.Service<
  FakeControlServer,
  {
    /** The control page, with the token that opens it: show it only to the user who started the fake. */
    readonly url: Redacted.Redacted
    /** The control API. It ends with a slash. */
    readonly apiUrl: string
    /** The token that the API expects as `Authorization: Bearer`. */
    readonly token: Redacted.Redacted
  }
>()("@zapier-workflow-auth/testing/fake/FakeControlServer") {}

/**
 * How access to the control page and API is protected.
 *
 * @since 0.1.0
 */
export interface Options {
  /**
   * At least 16 letters, digits and `-._~`. Default: drawn at the start, from `SecureRandom` and not from the fake's
   * seed.
   */
  readonly token?: Redacted.Redacted | undefined
  /** Further links for the front page, to a sample app, for example. Default: none. */
  readonly links?: ReadonlyArray<Link> | undefined
  /** Runs after each action of the control page or API, with one sentence about it. Default: nothing runs. */
  readonly onAction?: ((words: string) => Effect.Effect<unknown>) | undefined
}

/**
 * A link on the front page.
 *
 * @since 0.1.0
 */
export interface Link {
  readonly name: string
  /** A whole URL, with http or https. */
  readonly url: string
}

const parseOptions = Given.parse(
  Schema.Struct({
    token: Schema.optional(Schema.Unknown),
    links: Schema.optional(
      Schema.Array(
        Schema.Struct({
          name: Schema.NonEmptyString,
          url: Schema.String.check(Schema.isPattern(/^https?:\/\//, { expected: "a whole URL, with http or https" }))
        })
      )
    ),
    onAction: Schema.optional(Schema.declare(Predicate.isFunction, { expected: "a function" }))
  }),
  "The options"
)

const isToken = (text: string) => /^[\w.~-]{16,}$/.test(text)

/**
 * Serves the fake, with its control page and control API, on any of Effect's HTTP servers. Fails with a
 * `FakeControlError` for a token that is too easily guessed or that a header or URL cannot carry, and for an unknown
 * option.
 *
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<
  FakeControlServer,
  FakeControlError,
  HttpServer.HttpServer | FakeZapier.FakeZapier | SecureRandom.SecureRandom
> =>
  Layer.effect(
    FakeControlServer,
    Effect.gen(function* () {
      const { address } = yield* HttpServer.HttpServer
      const zapier = yield* FakeZapier.FakeZapier
      const secret = Effect.map((yield* SecureRandom.SecureRandom).randomBytes(24), Base64Url.encode)
      const given = yield* Effect.mapError(
        Effect.fromResult(parseOptions(options)),
        (problem) => new FakeControlError({ problem })
      )
      const token = options.token ?? Redacted.make(yield* secret)
      if (!isToken(Redacted.value(token))) {
        return yield* new FakeControlError({
          problem: "The token must have at least 16 characters: letters, digits and -._~ only."
        })
      }
      const context: Control.Context = {
        zapier,
        snapshots: new Map(),
        secrets: { token: Redacted.value(token), session: yield* secret, form: yield* secret },
        isServerLocal: Guard.isLocal(address),
        links: given.links ?? [],
        onAction: options.onAction ?? (() => Effect.void)
      }
      yield* Serve.listen(
        (request: FakeRequest) =>
          Control.isControl(request.path)
            ? Effect.map(Control.handle(request, context), (response) => ({ response, delivery: Faults.atOnce }))
            : zapier.handle(request),
        { hasControl: true, links: given.links }
      )
      const page = `${ServedAt.originOf(address)}${Control.base}`
      return { url: Redacted.make(`${page}?token=${Redacted.value(token)}`), apiUrl: `${page}api/`, token }
    })
  )
