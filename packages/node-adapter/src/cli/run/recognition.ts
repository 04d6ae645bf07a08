/**
 * Recognizes the server that `doctor` talks to by its responses to requests without any credential. Only a server that
 * responds as Zapier does is sent the client id and secret afterwards.
 */
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type { HttpClientError } from "effect/http/HttpClientError"
import type { TimeoutError } from "effect/Cause"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { oneLine } from "../../internal/terminalText.ts"

/** Milliseconds for one response. */
export const patience = 20_000

// Bytes. Anything longer is none of the responses that are known.
const longest = 65_536

export interface Page {
  readonly status: number
  readonly headers: { readonly [name: string]: string | undefined }
  readonly text: string
}

/** A response without redirects, and the beginning of its body, which may be endless. */
const get = (url: string): Effect.Effect<Page, HttpClientError | TimeoutError, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const { headers, status, stream } = yield* HttpClient.HttpClient.use((client) =>
      HttpClient.withScope(client).get(url)
    )
    let size = 0
    const text = yield* stream.pipe(
      Stream.takeWhile((chunk) => (size += chunk.length) <= longest),
      Stream.decodeText,
      Stream.mkString,
      Effect.catchIf(
        ({ reason }) => reason._tag === "EmptyBodyError",
        () => Effect.succeed("")
      )
    )
    return { status, headers, text }
  }).pipe(Effect.scoped, Effect.timeout(patience))

// JSON:API, as Zapier's API reports errors.
const decodeErrors = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ errors: Schema.Array(Schema.Record(Schema.String, Schema.Unknown)) }))
)

const isUnauthorized = ({ status, text }: Page) => status === 401 && Option.isSome(decodeErrors(text))

const isFake = ({ status, text }: Page) => status === 200 && text.includes("<title>Fake Zapier</title>")

const isBusy = ({ status }: Page) => status === 429 || status >= 500

export type Recognized =
  | { readonly _tag: "Known"; readonly says: string; readonly page: Page }
  /** Zapier, perhaps, which cannot respond now. */
  | { readonly _tag: "Busy"; readonly says: string }
  | { readonly _tag: "Stranger"; readonly says: string }

export const recognize = Effect.gen(function* () {
  const { api } = yield* ZapierUrls.ZapierUrls
  // Zapier responds with 401 to a call without a client id.
  const page = yield* get(`${api}/v1/apps`)
  const isZapier = api === ZapierUrls.production.api
  if (isUnauthorized(page)) {
    if (isZapier) return { _tag: "Known", says: `${api} is Zapier`, page } satisfies Recognized
    const front = yield* get(`${api}/`)
    const says = isFake(front)
      ? `${api} is a fake Zapier`
      : `${api} responds as Zapier's API does, and is neither Zapier nor the fake`
    return { _tag: "Known", says, page } satisfies Recognized
  }
  if (isBusy(page)) {
    return { _tag: "Busy", says: `${api} responded with ${page.status}. Try again later` } satisfies Recognized
  }
  const type = page.headers["content-type"]
  const described = `status ${page.status}${type === undefined ? "" : `, ${oneLine(type)}`}`
  const advice = isZapier ? "A proxy or firewall may respond in its place" : "Check --fake or ZAPIER_FAKE"
  return {
    _tag: "Stranger",
    says: `${api} is neither Zapier nor the fake (${described}). No credential was sent. ${advice}`
  } satisfies Recognized
})
