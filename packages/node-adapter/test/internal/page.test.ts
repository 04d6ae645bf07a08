import { createHash } from "node:crypto"
import { assert, describe, expect, it } from "@effect/vitest"
import { ConsentDenied, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Popup from "../../src/internal/connect/popup.ts"
import * as Page from "../../src/internal/page.ts"
import { contrast } from "../../../testing/test/utils/Contrast.ts"

const shown = (page: Page.Page, status = 200) =>
  Effect.promise(async () => {
    const response = HttpServerResponse.toWeb(Page.respond(status, page))
    return { html: await response.text(), policy: response.headers.get("content-security-policy") ?? "" }
  })

const digest = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`

const inside = (html: string, name: string) => new RegExp(`<${name}>([^]*)</${name}>`).exec(html)?.[1] ?? ""

const ways = { returnTo: "/", connect: "/zapier/connect" }

const origins = ["https://acme.example"]

const script = Popup.script({ _tag: "SignedOut", signIn: undefined, ...ways }, { id: "1-2", origins })

describe("a page", () => {
  it.effect("allows its own style and nothing else", () =>
    Effect.gen(function* () {
      const { html, policy } = yield* shown({ title: "Done", words: [] })
      expect(policy).toBe(
        `default-src 'none'; style-src '${digest(inside(html, "style"))}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`
      )
      expect(html).not.toContain("<script")
    })
  )

  it.effect("with a script allows that script, too, which is the same whatever it has to say", () =>
    Effect.gen(function* () {
      const { html, policy } = yield* shown({ title: "Done", words: [], script })
      expect(policy).toContain(`; script-src '${digest(inside(html, "script"))}'; `)
      const error = ZapierAuthError.make(new ConsentDenied({}))
      const other = Popup.script({ _tag: "Failed", error, ...ways }, { id: "", origins: [] })
      const { html: failed } = yield* shown({ title: "Done", words: [], script: other })
      expect(inside(failed, "script")).toBe(inside(html, "script"))
    })
  )

  it.effect("has what a browser and a screen reader need", () =>
    Effect.gen(function* () {
      const { html } = yield* shown({
        lang: "de",
        title: "Fertig",
        words: ["Eins", { text: "Two", lang: "en" }],
        links: [
          { url: "/connect?a=1&b=2", text: "Weiter" },
          { url: "/", text: { text: "Back", lang: "en" } }
        ]
      })
      expect(html).toMatch(/^<!doctype html>\n<html lang="de">/)
      expect(html).toContain('<meta name="viewport" content="width=device-width, initial-scale=1">')
      expect(html).toContain("<title>Fertig</title>")
      expect(html.match(/<h1>/g)).toHaveLength(1)
      expect(html).toContain('<p lang="en">Two</p>')
      expect(html).toContain('<p class="button"><a href="/connect?a=1&#38;b=2">Weiter</a></p>')
      expect(html).toContain('<p><a href="/" lang="en">Back</a></p>')
      expect(html.match(/class="button"/g)).toHaveLength(1)
    })
  )

  it.effect("shows texts as texts, wherever they are", () =>
    Effect.gen(function* () {
      const evil = `"></title></style></script><img src=x onerror=alert(1)>'`
      const { html } = yield* shown({
        lang: evil,
        title: evil,
        words: [evil, { text: evil, lang: evil }],
        links: [{ url: evil, text: evil }],
        script: { ...script, data: { "data-outcome": evil } }
      })
      expect(html).not.toContain("<img")
      expect(html).not.toContain('">"')
      expect(html.match(/<\/(?:title|style|script)>/g)).toEqual(["</title>", "</style>", "</script>"])
    })
  )
})

describe.each([
  ["light", 0],
  ["dark", 1]
] as const)("the %s colours", (_, scheme) => {
  it.effect.each([
    ["text", "page"],
    ["accent", "page"],
    ["on-accent", "accent"]
  ] as const)("let %s be read on %s: at least 4.5 to 1", ([one, other]) =>
    Effect.gen(function* () {
      const { html } = yield* shown({ title: "Done", words: [] })
      const colours = new Map(
        Array.from(html.matchAll(/--([\w-]+):light-dark\(#([\da-f]+),#([\da-f]+)\)/g), ([, name = "", ...pair]) => [
          name,
          pair[scheme] ?? ""
        ])
      )
      const of = (name: string) => colours.get(name) ?? assert.fail(`no colour ${name}`)
      expect(contrast(of(one), of(other))).toBeGreaterThan(4.5)
    })
  )
})
