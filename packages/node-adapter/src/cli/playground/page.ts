/** The common parts of the playground's pages: style, script and security policy. */
import { createHash } from "node:crypto"
import { escape } from "../../internal/markup.ts"
import * as FreePlayPage from "./freePlay/freePlayPage.ts"
import * as StoriesPage from "./stories/storiesPage.ts"

const style = `
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --card: #fff; --raised: #f1efea; --line: #dedad3; --edge: #857f76; --text: #211f1c; --quiet: #5a554e;
  --accent: #b03a06; --on-accent: #fff; --good: #1a6b3c; --bad: #a81e1e; --info: #1f4f9c; --focus: #1f5fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #161513; --card: #201e1b; --raised: #2b2824; --line: #38352f; --edge: #8b857a; --text: #ece8e1; --quiet: #b5aea3;
    --accent: #ff9058; --on-accent: #26100a; --good: #78cf9b; --bad: #ff9a94; --info: #9dc0ff; --focus: #8db9ff;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--ground); color: var(--text); }
h1, h2, h3, p, ol, ul, dl, dd { margin: 0; }
h1 { font-size: 1.375rem; line-height: 1.25; letter-spacing: -0.01em; }
h2 { font-size: 1.125rem; line-height: 1.3; }
h3 { font-size: 0.9375rem; line-height: 1.4; }
a { color: var(--accent); text-underline-offset: 0.2em; }
code { font: 0.8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
pre code { overflow-wrap: normal; }
header, main { max-width: 90rem; margin: 0 auto; padding: 1.25rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: baseline; padding-bottom: 0; }
header ul { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; }
header [aria-current] { color: var(--text); font-weight: 600; text-decoration: none; }
main { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.125rem; min-width: 0; }
.quiet { color: var(--quiet); font-size: 0.9375rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; padding: 0.5rem; background: var(--card); z-index: 2; }
button, .button {
  font: inherit; color: inherit; text-align: left; text-decoration: none; padding: 0.4375rem 0.875rem; cursor: pointer;
  background: var(--card); border: 1px solid var(--edge); border-radius: 8px; display: inline-block;
}
button:hover, .button:hover { border-color: var(--text); }
button[aria-disabled] { cursor: not-allowed; color: var(--quiet); background: var(--raised); border: 1px dashed var(--edge); font-weight: 400; }
.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
#trouble { position: sticky; top: 0; z-index: 1; margin: 0.5rem auto 0; max-width: 88rem; padding: 0.75rem 1rem; border: 1px solid var(--bad); border-left-width: 5px; border-radius: 8px; background: var(--card); }
#trouble:empty { display: none; }
${StoriesPage.style}${FreePlayPage.style}`

// The script loads the page again when the server announces a change, and replaces only the parts that differ, so the scroll
// position, the focus and open details stay. The live regions are outside of the replaced parts.
const script = `
const main = document.querySelector("main")
const news = document.getElementById("news")
const trouble = document.getElementById("trouble")
const kept = new Set(["open"])
const morph = (old, fresh) => {
  if (old.isEqualNode(fresh)) return
  if (old.nodeType !== 1 || old.nodeName !== fresh.nodeName || old.id !== fresh.id) return old.replaceWith(fresh)
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !kept.has(name)) old.removeAttribute(name)
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  const next = [...fresh.childNodes]
  const before = [...old.childNodes]
  // An element with an id is found again, even after others were added before it.
  const named = new Map(before.filter(({ id }) => id).map((node) => [node.id, node]))
  next.forEach((child, index) => {
    const at = old.childNodes[index]
    const match = child.id ? named.get(child.id) : at && !at.id ? at : undefined
    if (match === undefined) return old.insertBefore(child, at ?? null)
    if (match !== at) old.insertBefore(match, at ?? null)
    morph(match, child)
  })
  while (old.childNodes.length > next.length) old.lastChild.remove()
}
const center = () => {
  for (const picture of document.querySelectorAll(".scrolls")) picture.scrollLeft = (picture.scrollWidth - picture.clientWidth) / 2
}
const gone = "The playground does not respond. Start it again where you started it, then reload this page."
const offline = "This browser is offline, and cannot reach the playground."
const fail = () => { trouble.textContent = navigator.onLine ? gone : offline }
let asking = false, again = false
const update = async () => {
  if (asking) { again = true; return }
  asking = true
  do {
    again = false
    try {
      const response = await fetch(location.pathname)
      if (!response.ok) throw new Error()
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html")
      const said = fresh.getElementById("news").textContent
      morph(main, document.adoptNode(fresh.querySelector("main")))
      if (said !== news.textContent) news.textContent = said
      if ([gone, offline].includes(trouble.textContent)) trouble.textContent = ""
    } catch { fail() }
  } while (again)
  asking = false
}
const events = new EventSource("events")
events.onmessage = update
events.onerror = fail
// A browser that is offline may still reach this machine.
addEventListener("offline", update)
addEventListener("online", update)
document.addEventListener("submit", async (event) => {
  const form = event.target
  event.preventDefault()
  const button = form.querySelector("button")
  if (button.hasAttribute("aria-disabled") || form.dataset.busy) return
  form.dataset.busy = "yes"
  trouble.textContent = ""
  try {
    const response = await fetch(form.action, { method: "POST" })
    if (!response.ok) trouble.textContent = await response.text()
  } catch { fail() }
  delete form.dataset.busy
  update()
})
center()
addEventListener("resize", center)
`

const digest = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

// Without an icon of its own, a browser asks for one.
const icon =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23b03a06'/%3E%3Cpath d='M5 4l7 4-7 4z' fill='white'/%3E%3C/svg%3E"

export const headers = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": `default-src 'none'; style-src ${digest(style)}; script-src ${digest(script)}; img-src data:; connect-src 'self'; form-action 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; frame-ancestors 'none'`,
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff"
}

const pages = { "/": "Stories", "/play": "Free play" } as const

export interface Page {
  readonly path: keyof typeof pages
  readonly body: string
  /** The newest event, for screen readers. */
  readonly news: string
}

const link = (path: string, name: string, current: string) =>
  `<li><a href="${path}"${path === current ? ' aria-current="page"' : ""}>${name}</a></li>`

export const html = ({ body, news, path }: Page): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${pages[path]} – Zapier playground</title>
<link rel="icon" href="${icon}">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>Zapier playground</h1>
<nav aria-label="Pages"><ul>${Object.entries(pages)
  .map(([to, name]) => link(to, name, path))
  .join("")}${link("/control", "Control page of the fake", path)}</ul></nav>
</header>
<p id="trouble" role="alert"></p>
<p id="news" class="hidden" role="status">${escape(news)}</p>
<main id="main" tabindex="-1">${body}</main>
<script>${script}</script>
</body>
</html>
`
