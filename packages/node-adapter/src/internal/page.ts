/** A short page for users who arrive by a redirect. It loads no resources. */
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import { escape } from "./markup.ts"

/** A text, with its language if that differs from the page's. */
export type Text = string | { readonly text: string; readonly lang: string }

export interface Link {
  readonly url: string
  readonly text: Text
}

export interface Page {
  /** A BCP 47 tag. Default: `en`. */
  readonly lang?: string | undefined
  readonly title: Text
  /** Paragraphs. */
  readonly words: ReadonlyArray<Text>
  /** Links to continue, the most likely first, which is shown as a button. */
  readonly links?: ReadonlyArray<Link> | undefined
  /** A script, its digest for the content security policy, and its data, as attributes of the element `main`. */
  readonly script?: Script | undefined
}

export interface Script {
  readonly source: string
  readonly digest: string
  readonly data: Readonly<Record<string, string>>
}

// The lowest contrast is 7 to 1 in both color schemes; WCAG 2.2 requires 4.5 to 1 (AA).
const style = `:root{color-scheme:light dark;--page:light-dark(#fff,#161311);--text:light-dark(#1d1916,#f3eeea);--accent:light-dark(#9a3206,#ff9d6b);--on-accent:light-dark(#fff,#1d1916)}
body{font:1.0625rem/1.5 system-ui,sans-serif;max-width:34rem;margin:18vh auto 2rem;padding:0 1.25rem;background:var(--page);color:var(--text);overflow-wrap:break-word}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}
p{margin:0 0 1rem}
a{color:var(--accent);text-underline-offset:.2em}
.button a{display:inline-block;margin-top:.5rem;padding:.6rem 1.2rem;border:2px solid transparent;border-radius:.5rem;background:var(--accent);color:var(--on-accent);font-weight:600;text-decoration:none}
a:hover{text-decoration:underline}
a:focus-visible{outline:3px solid var(--text);outline-offset:3px;border-radius:.25rem}
@media(max-height:30rem){body{margin-top:2rem}}`

/** The SHA-256 of the style, which the content security policy allows. A test checks it. */
const styleDigest = "sha256-GFG3zYoRUYwYhD1TZBFgOf8yNwewlDwh/rMv+yfbZ7Q="

/** Headers for all responses at an address that may contain a code or `state`. */
export const guards = {
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff"
} as const

const policy = (script: Script | undefined) =>
  [
    "default-src 'none'",
    `style-src '${styleDigest}'`,
    ...(script === undefined ? [] : [`script-src '${script.digest}'`]),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join("; ")

const attributes = (named: Readonly<Record<string, string>>) =>
  Object.entries(named)
    .map(([name, value]) => ` ${name}="${escape(value)}"`)
    .join("")

/** The text without its language. */
export const textOf = (text: Text) => (typeof text === "string" ? text : text.text)

/** Renders a text in its own element. */
const element = (name: string, text: Text, named: Readonly<Record<string, string>> = {}) =>
  `<${name}${attributes(typeof text === "string" ? named : { ...named, lang: text.lang })}>${escape(textOf(text))}</${name}>`

const html = ({ lang = "en", links = [], script, title, words }: Page): string => `<!doctype html>
<html lang="${escape(lang)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
${element("title", title)}
<style>${style}</style>
</head>
<body>
<main dir="auto"${attributes(script?.data ?? {})}>
${element("h1", title)}
${words.map((text) => element("p", text)).join("\n")}
${links.map(({ text, url }, at) => `<p${at === 0 ? ' class="button"' : ""}>${element("a", text, { href: url })}</p>`).join("\n")}
</main>${script === undefined ? "" : `\n<script>${script.source}</script>`}
</body>
</html>
`

export const respond = (status: number, page: Page): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.text(html(page), {
    status,
    headers: { ...guards, "Content-Security-Policy": policy(page.script) },
    contentType: "text/html; charset=utf-8"
  })
