/** A page with a few words, for people who come to it by way of a redirect. It loads nothing and runs nothing. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { escape } from "./markup.ts"

export interface Page {
  readonly title: string
  readonly words: string
  /** Where to go on from here, the likeliest first. */
  readonly links?: ReadonlyArray<{ readonly url: string; readonly text: string }> | undefined
}

const style = `:root{color-scheme:light dark}
body{font:1.0625rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto 2rem;padding:0 1.25rem}
h1{font-size:1.5rem;line-height:1.25}
a{color:light-dark(#9a3206,#ff9d6b)}`

/** The SHA-256 of the style, by which the policy allows it and no other. A test says what it is. */
const styleDigest = "sha256-DJbrjvYIqIZacaR+7bsWCwLEYpkyqKMTe+abctE15mw="

/** For whatever is answered where a code or a state may be in the address. */
export const guards = {
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff"
} as const

const policy = `default-src 'none'; style-src '${styleDigest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

const html = ({ links = [], title, words }: Page): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escape(title)}</h1>
<p>${escape(words)}</p>${links.map(({ text, url }) => `\n<p><a href="${escape(url)}">${escape(text)}</a></p>`).join("")}
</main>
</body>
</html>
`

export const respond = (status: number, page: Page): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(html(page), {
    status,
    headers: { ...guards, "Content-Security-Policy": policy },
    contentType: "text/html; charset=utf-8"
  })
