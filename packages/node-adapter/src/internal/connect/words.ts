/** Chooses the texts and language of pages. */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import { english, type Given, type PageName, type PartialTexts, type Reader } from "../../ConnectTexts.ts"
import type { Text } from "../page.ts"
import { toError } from "./failures.ts"

/** The maximum number of languages that are considered; a header may list thousands. */
const most = 20

/** The languages of `Accept-Language`, best first (RFC 9110 section 12.5.4). */
export const languagesOf = (header: string): ReadonlyArray<string> =>
  header
    .slice(0, 1_000)
    .split(",")
    .slice(0, most)
    .flatMap((part) => {
      const [, tag, weight = "1"] =
        /^\s*([a-z]{1,8}(?:-[a-z\d]{1,8})*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?$/i.exec(part) ?? []
      return tag === undefined || Number(weight) === 0 ? [] : [{ tag, weight: Number(weight) }]
    })
    .sort((one, other) => other.weight - one.weight)
    .map(({ tag }) => tag)

/** The reader of the response page. */
export const readerOf = ({ cookies, headers }: Pick<HttpServerRequest, "cookies" | "headers">) => ({
  languages: languagesOf(headers["accept-language"] ?? ""),
  cookies
})

const optionalText = Schema.optional(Schema.String)

const optionalPage = Schema.optional(Schema.Struct({ title: optionalText, text: optionalText }))

const { pages, ...others } = english

const Texts = Schema.Struct({
  ...Record.map(others, () => optionalText),
  pages: Schema.optional(Schema.Struct(Record.map(pages, () => optionalPage)))
})

// A promise or an effect would look like texts that are all omitted.
const isOfTexts = (value: unknown): boolean => Predicate.isPromiseLike(value) || Effect.isEffect(value)

const noTexts = Result.fail(
  ZapierAuthError.make(
    new InvalidConfig({ setting: "texts", problem: "pass the texts themselves, not a promise or effect of them" })
  )
)

const decode = (texts: unknown, onExcessProperty: "error" | "ignore"): Result.Result<PartialTexts, ZapierAuthError> => {
  if (isOfTexts(texts)) return noTexts
  return Result.mapError(Schema.decodeUnknownResult(Texts, { onExcessProperty })(texts), ({ issue }) => {
    const path = SchemaIssue.makeFormatterStandardSchemaV1()(issue).issues[0]?.path ?? []
    const setting = ["texts", ...path.map(String)].join(".")
    return ZapierAuthError.make(
      new InvalidConfig({ setting, problem: "pass a text for one of the names in ConnectTexts.english" })
    )
  })
}

/** Returns the app's texts for a reader, or the error. */
export type Find = (reader: Reader) => Result.Result<PartialTexts, ZapierAuthError>

/** Makes `Find`. Texts that are the same for all readers are validated once. */
export const make = (given: Given | undefined): Result.Result<Find, ZapierAuthError> => {
  if (typeof given !== "function") {
    return Result.map(decode(given === undefined ? {} : given, "error"), (texts) => () => Result.succeed(texts))
  }
  // Reading the returned object may throw too.
  const find = (reader: Reader) =>
    Result.try({
      try: () => decode(given(reader), "ignore"),
      catch: toError("texts", "return texts")
    })
  return Result.succeed((reader) => Result.flatMap(find(reader), identity))
}

/** The names of texts that pages share. */
export type Shared = "connect" | "connectApp" | "tryAgain" | "signIn" | "back" | "closeWindow"

export const langOf = (texts: PartialTexts): string => texts.lang ?? english.lang

/** The app's own text, or else the English one, marked as English. */
const say = (texts: PartialTexts, own: string | undefined, fallback: string): Text => {
  const app = texts.app ?? english.app
  const text = (own ?? fallback).replaceAll("{app}", () => app)
  return own !== undefined || langOf(texts) === english.lang ? text : { text, lang: english.lang }
}

export const shared = (texts: PartialTexts, name: Shared): Text => say(texts, texts[name], english[name])

/** The texts of a page. */
export const pageTexts = (texts: PartialTexts, page: PageName): { readonly title: Text; readonly text: Text } => ({
  title: say(texts, texts.pages?.[page]?.title, english.pages[page].title),
  text: say(texts, texts.pages?.[page]?.text, english.pages[page].text)
})
