import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import * as Html from "../../../src/internal/pages/html.ts"

const { html } = Html

const unescaped = (text: string) =>
  text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 10)))

describe("html", () => {
  it.prop("writes any text so that it is read back, between tags and in attributes", [Schema.String], ([text]) => {
    const written = Html.toText(html`<a title="${text}">${text}</a>`)
    const [, attribute = "", content = ""] = /^<a title="([^"<>]*)">([^"<>]*)<\/a>$/.exec(written) ?? []
    assert.strictEqual(unescaped(attribute), text)
    assert.strictEqual(unescaped(content), text)
  })

  it("keeps its own HTML, also in lists, and omits missing parts", () => {
    const items = ["<i>", "b"].map((item) => html`<li>${item}</li>`)
    assert.strictEqual(
      Html.toText(
        html`<ul>
          ${items}${undefined}${3}
        </ul>`
      ).replace(/\s+/g, ""),
      "<ul><li>&#60;i&#62;</li><li>b</li>3</ul>"
    )
  })

  it("treats outside input as text", () => {
    const posing: Html.Content = JSON.parse(JSON.stringify(html`<b></b>`))
    assert.throws(() => html`${posing}`)
  })
})
