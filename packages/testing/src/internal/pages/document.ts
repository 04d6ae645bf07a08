/** A page and its headers. */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Base64 from "effect/encoding/Base64"
import type { FakeResponse } from "../../fake/FakeHttp.ts"
import * as Html from "./html.ts"

const { html } = Html

const hashOf = (text: string) => `'sha256-${Base64.encode(sha256(new TextEncoder().encode(text)))}'`

/**
 * A kind of page, which may load only what its policy allows by digest.
 *
 * @param policy what the content security policy allows besides the style, the script and the icon
 */
export const kind = (options: {
  readonly style: string
  readonly script?: string
  readonly policy: ReadonlyArray<string>
  readonly referrerPolicy: "no-referrer" | "same-origin"
}) => {
  const { policy, referrerPolicy, script, style } = options
  const policies = [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
    "img-src data:",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    ...policy
  ]
  return {
    // The digests cover every character between the tags.
    style: Html.verbatim(`<style>${style}</style>`),
    script: Html.verbatim(script === undefined ? "" : `<script type="module">${script}</script>`),
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": policies.join("; "),
      "referrer-policy": referrerPolicy,
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY"
    }
  }
}

type Kind = ReturnType<typeof kind>

// Without an icon, a browser would request one from the fake.
const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23b03a06'/%3E%3Cpath d='M4 4h8L7 12h5' fill='none' stroke='white' stroke-width='2'/%3E%3C/svg%3E"

// The same for all pages, so escaped once.
const iconLink = html`<link rel="icon" href="${icon}" />`

interface Content {
  readonly title: string
  readonly body: Html.Html
}

const written = ({ body, title }: Content, head: Html.Content, end: Html.Content): string =>
  Html.toText(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <title>${title}</title>
          ${iconLink} ${head}
        </head>
        <body>
          ${body}${end}
        </body>
      </html> `
  )

export const page = ({ headers, script, style }: Kind, status: number, content: Content): FakeResponse => ({
  status,
  headers,
  body: written(content, style, script)
})

/** A page as a single file. It has no headers, so the document itself forbids loading anything. */
export const file = (style: string, content: Content): string => {
  const policy = `default-src 'none'; style-src ${hashOf(style)}; img-src data:; base-uri 'none'; form-action 'none'`
  const head = html`<meta http-equiv="content-security-policy" content="${policy}" />
    ${Html.verbatim(`<style>${style}</style>`)}`
  return written(content, head, undefined)
}
