import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ConnectTexts from "../../../src/ConnectTexts.ts"
import * as Words from "../../../src/internal/connect/words.ts"

const pages = Object.entries(ConnectTexts.english.pages)

describe("the English texts", () => {
  // Words of the trade, and words that look for somebody to blame.
  it.each(pages)("of %s are for people who know nothing of how it works", (_, { text, title }) => {
    expect(`${title} ${text}`).not.toMatch(
      /\b(?:oauth|tokens?|grants?|attempts?|redirect|uri|url|callback|scopes?|state|code|session|cookie|server|error|invalid|you failed|consent)\b/i
    )
  })

  it.each(pages)("of %s are short, and say what to do or that nothing is to be done", (_, { text, title }) => {
    expect(title.length).toBeLessThan(35)
    expect(text.length).toBeLessThan(130)
    expect(text).toMatch(/\.$/)
  })

  it("read well without the name of an app", () => {
    expect(Words.langOf({})).toBe("en")
    expect(Words.pageTexts({}, "connected")).toEqual({
      title: "Zapier is connected",
      text: "You can use Zapier in the app now."
    })
    expect(Words.shared({}, "back")).toBe("Back to the app")
  })
})

describe("an app's own texts", () => {
  it("take the place of the English ones one by one, and English ones say that they are", () => {
    const texts = { lang: "de", app: "Acme", pages: { denied: { title: "Nicht verbunden" } } }
    expect(Words.langOf(texts)).toBe("de")
    expect(Words.pageTexts(texts, "denied")).toEqual({
      title: "Nicht verbunden",
      text: { text: ConnectTexts.english.pages.denied.text, lang: "en" }
    })
    expect(Words.shared(texts, "back")).toEqual({ text: "Back to Acme", lang: "en" })
  })

  it("have the app's name as it is, wherever they ask for it", () => {
    expect(Words.shared({ app: "$& {app}", back: "{app}, {app}" }, "back")).toBe("$& {app}, $& {app}")
  })

  it.each<readonly [unknown, string]>([
    [{ app: 1 }, "texts.app"],
    [{ title: "Acme" }, "texts.title"],
    [{ pages: { denyed: { title: "No" } } }, "texts.pages.denyed"],
    [{ pages: { denied: "No" } }, "texts.pages.denied"],
    [{ pages: { denied: { title: null } } }, "texts.pages.denied.title"],
    ["Acme", "texts"],
    [null, "texts"],
    [Promise.resolve({ app: "Acme" }), "texts"],
    [Effect.succeed({ app: "Acme" }), "texts"]
  ])("%j are refused when the routes are built, and named", (given, setting) => {
    const made = Words.make(given as ConnectTexts.Given)
    expect(Result.isFailure(made) && made.failure.reason).toMatchObject({ _tag: "InvalidConfig", setting })
  })

  const reader = { languages: [], cookies: {}, page: "denied" } as const

  const found = (given: ConnectTexts.Given, to: ConnectTexts.Reader = reader) =>
    Result.flatMap(Words.make(given), (find) => find(to))

  it("may be those of a reader and a page", () => {
    const given = ({ cookies, languages, page }: ConnectTexts.Reader) => ({
      app: `${languages.join()} ${cookies["lang"]} ${page}`
    })
    expect(found(given, { languages: ["de", "en"], cookies: { lang: "fr" }, page: "expired" })).toEqual(
      Result.succeed({ app: "de,en fr expired" })
    )
  })

  it("that cannot be found are an error of the app's owner, without what was thrown", () => {
    const threw = found(() => {
      throw new TypeError("secret of the app")
    })
    expect(Result.isFailure(threw) && threw.failure.message).toContain("it failed with TypeError")
    expect(Result.isFailure(threw) && threw.failure.message).not.toContain("secret")
    const unreadable = found(() => ({
      get app(): string {
        throw new TypeError("secret of the app")
      }
    }))
    expect(Result.isFailure(unreadable) && unreadable.failure.message).toMatch(/it failed with Error(?!.*secret)/)
    const late = found((async () => ({ app: "Acme" })) as never)
    expect(Result.isFailure(late) && late.failure.reason).toMatchObject({ _tag: "InvalidConfig", setting: "texts" })
    const odd = found(() => ({ pages: { denied: { text: 5 } } }) as never)
    expect(Result.isFailure(odd) && odd.failure.reason).toMatchObject({ setting: "texts.pages.denied.text" })
  })
})

describe("the languages of a request", () => {
  it.each([
    ["", []],
    ["*", []],
    ["de", ["de"]],
    ["de-AT, de;q=0.8, en;q=0.9", ["de-AT", "en", "de"]],
    ["en;q=0, fr ; q=0.5", ["fr"]],
    ["fr, de", ["fr", "de"]],
    ["<script>, de;q=2, e n, de;q=x, zh-Hant-TW", ["zh-Hant-TW"]]
  ])("%j are %j", (header, languages) => expect(Words.languagesOf(header)).toEqual(languages))

  it("are few, however many there are said to be", () => {
    expect(Words.languagesOf("aa,".repeat(100_000)).length).toBeLessThan(21)
  })
})

describe("texts by language", () => {
  const german = { app: "Acme DE" }
  const texts = ConnectTexts.byLanguage({ de: german, "pt-BR": { app: "Acme BR" } })
  it.each([
    [["de"], "de"],
    [["DE-at"], "de"],
    [["pt-BR"], "pt-BR"],
    [["pt-PT"], undefined],
    [["fr", "de"], "de"],
    [["en-GB", "de"], undefined],
    [["constructor"], undefined],
    [[], undefined]
  ])("for %j are in %s", (languages, lang) => {
    expect(texts({ languages, cookies: {}, page: "denied" }).lang).toBe(lang)
  })

  it("may name the app in English, too", () => {
    const named = ConnectTexts.byLanguage({ en: { app: "Acme" }, de: german })
    expect(named({ languages: ["fr"], cookies: {}, page: "denied" })).toEqual({ lang: "en", app: "Acme" })
  })
})
