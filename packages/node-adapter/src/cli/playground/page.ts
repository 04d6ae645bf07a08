/** The page of the playground: the sample app, its buttons, the machine of its grant, and what happened. */
import { createHash } from "node:crypto"
import type { Status } from "@zapier-workflow-auth/core/ZapierAuth"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as DateTime from "effect/DateTime"
import * as Actions from "./actions.ts"
import * as Diagram from "./diagram.ts"
import { escape } from "../../internal/markup.ts"
import type { Entry } from "./story.ts"

export interface Shown {
  readonly status: Status
  readonly lit: Diagram.Lit
  /** The oldest first. */
  readonly entries: ReadonlyArray<Entry>
  /** By the clock of the playground, in milliseconds since the epoch. */
  readonly now: number
}

const style = `
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --card: #fff; --line: #dedad3; --edge: #8a847b; --text: #211f1c; --quiet: #5f5a53;
  --accent: #b03a06; --on-accent: #fff; --good: #1a6b3c; --bad: #a81e1e; --info: #1f4f9c; --focus: #1f5fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #161513; --card: #201e1b; --line: #38352f; --edge: #8b857a; --text: #ece8e1; --quiet: #aea79c;
    --accent: #ff9058; --on-accent: #26100a; --good: #78cf9b; --bad: #ff9a94; --info: #9dc0ff; --focus: #8db9ff;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
body { margin: 0; background: var(--ground); color: var(--text); }
h1, h2, h3, p, ol, dl, dd { margin: 0; }
h1 { font-size: 1.375rem; line-height: 1.25; letter-spacing: -0.01em; }
h2 { font-size: 1.0625rem; line-height: 1.3; }
h3 { font-size: 0.8125rem; letter-spacing: 0.04em; text-transform: uppercase; color: var(--quiet); }
a { color: var(--accent); }
code { font: 0.8125rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
header, main { max-width: 76rem; margin: 0 auto; padding: 1.25rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0.75rem 1.5rem; align-items: center; padding-bottom: 0; }
header p { color: var(--quiet); }
header > div { flex: 1 1 20rem; }
main { display: grid; gap: 1rem; grid-template-columns: 17rem minmax(0, 1fr); align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.125rem; }
.actions { display: grid; gap: 1.125rem; }
.actions section { display: grid; gap: 0.5rem; }
.actions form { display: grid; }
.hint { color: var(--quiet); font-size: 0.8125rem; line-height: 1.35; margin: 0.125rem 0.25rem 0.25rem; }
button, .button {
  font: inherit; color: inherit; text-align: left; text-decoration: none; padding: 0.4375rem 0.75rem; cursor: pointer;
  background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
}
button:hover, .button:hover { border-color: var(--text); }
button[disabled] { opacity: 0.55; cursor: progress; }
.main { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
#live { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
.scrolls { overflow-x: auto; }
.machine { display: block; width: 100%; min-width: 34rem; max-width: 46rem; height: auto; margin: 0.5rem auto 0; }
.machine text { font-size: 13px; text-anchor: middle; dominant-baseline: central; fill: var(--quiet); paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.machine .state text { font-size: 15px; font-weight: 600; fill: var(--text); stroke: none; }
.machine rect { fill: var(--card); stroke: var(--edge); stroke-width: 1.5; }
.machine .state.lit rect { fill: var(--accent); stroke: var(--accent); }
.machine .state.lit text { fill: var(--on-accent); }
.machine .edge path { fill: none; stroke: var(--edge); stroke-opacity: 0.55; stroke-width: 1.5; }
.machine .edge.lit path { stroke: var(--accent); stroke-opacity: 1; stroke-width: 2.5; }
.machine .edge .lit { fill: var(--accent); font-weight: 600; }
.machine marker path { fill: var(--edge); }
.machine #arrow-lit path { fill: var(--accent); }
.facts { display: flex; flex-wrap: wrap; gap: 0.375rem 1.5rem; margin-top: 0.5rem; font-size: 0.9375rem; }
.facts div { display: flex; gap: 0.5rem; }
.facts dt { color: var(--quiet); }
.story { list-style: none; padding: 0; display: grid; margin-top: 0.75rem; }
.story li { display: grid; grid-template-columns: 4.75rem minmax(0, 1fr); gap: 0.125rem 0.75rem; padding: 0.5rem 0; border-top: 1px solid var(--line); }
.story time { color: var(--quiet); font-size: 0.8125rem; font-variant-numeric: tabular-nums; grid-row: span 2; padding-top: 0.1875rem; }
.story .title { font-weight: 600; overflow-wrap: anywhere; }
.story .words { color: var(--quiet); font-size: 0.9375rem; }
.story .You .title { color: var(--accent); }
.story .Machine .title { color: var(--info); }
.story .Answer .title { color: var(--good); }
.story .Request .title { font-weight: 400; }
.times { display: inline-block; margin-left: 0.5rem; padding: 0 0.4375rem; border-radius: 999px; background: var(--line); color: var(--text); font-size: 0.8125rem; }
.quiet { color: var(--quiet); }
@media (max-width: 52rem) {
  main { grid-template-columns: minmax(0, 1fr); }
  .actions section { grid-template-columns: 1fr 1fr; }
  .actions h3 { grid-column: span 2; }
  .actions .hint { display: none; }
  .actions button { font-size: 0.9375rem; height: 100%; }
  .machine { min-width: 30rem; }
  .story li { grid-template-columns: minmax(0, 1fr); }
  .story time { grid-row: auto; padding: 0; }
}
`

// It asks for what is new when it is told that there is something, and presses buttons without leaving the page.
const script = `
const live = document.getElementById("live")
const picture = () => live.querySelector(".scrolls")
// Where it is wider than the screen, its middle says most.
const center = () => { picture().scrollLeft = (picture().scrollWidth - picture().clientWidth) / 2 }
center()
addEventListener("resize", center)
let asking = false, again = false
const update = async () => {
  if (asking) { again = true; return }
  asking = true
  do {
    again = false
    const answer = await fetch("live")
    if (answer.ok) {
      const { scrollLeft } = picture()
      live.innerHTML = await answer.text()
      picture().scrollLeft = scrollLeft
    }
  } while (again)
  asking = false
}
new EventSource("events").onmessage = () => update().catch(() => { asking = false })
for (const form of document.querySelectorAll("form.action")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault()
    const button = form.querySelector("button")
    button.disabled = true
    await fetch(form.action, { method: "POST" }).catch(() => {})
    button.disabled = false
    button.focus()
  })
}
`

const digest = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

export const headers = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": `default-src 'none'; style-src ${digest(style)}; script-src ${digest(script)}; connect-src 'self'; form-action 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; frame-ancestors 'none'`,
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff"
}

const machine = Diagram.make({ name: "a user's grant", edges: UserGrant.edges })

const timeOf = (at: number) => DateTime.formatIso(DateTime.makeUnsafe(at)).slice(11, 19)

const entry = ({ at, kind, times, title, words }: Entry) =>
  `<li class="${kind}"><time>${timeOf(at)}</time><p class="title">${kind === "Request" ? `<code>${escape(title)}</code>` : escape(title)}${times === undefined ? "" : `<span class="times">${times} times</span>`}</p><p class="words">${escape(words)}</p></li>`

const minutes = (millis: number) => {
  const whole = Math.floor(millis / 60_000)
  return `${Math.floor(whole / 60)} h ${whole % 60} min`
}

const facts = (status: Status, now: number): ReadonlyArray<readonly [string, string]> => {
  switch (status._tag) {
    case "Absent":
      return [["Ada", "not connected"]]
    case "ReconnectRequired":
      return [
        ["Ada", "has to connect again"],
        [
          "why",
          status.why === "ResponseLost"
            ? "an earlier refresh brought no usable answer"
            : "Zapier no longer takes the refresh token"
        ]
      ]
    case "Active":
    case "Refreshing":
      return [
        ["generation", `${status.generation}`],
        ["scopes", status.scopes.join(" ")],
        ["access token", status.expiresAt > now ? `${minutes(status.expiresAt - now)} left` : "has ended"]
      ]
  }
}

/** What changes. */
export const live = ({ entries, lit, now, status }: Shown): string => `
<section class="card" aria-labelledby="machine">
<h2 id="machine">Ada's grant</h2>
<dl class="facts">${facts(status, now)
  .map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(value)}</dd></div>`)
  .join("")}</dl>
<div class="scrolls" tabindex="0" role="region" aria-label="The machine of the grant">${machine({ ...lit, state: status._tag })}</div>
</section>
<section class="card" aria-labelledby="story">
<h2 id="story">What happens</h2>
${
  entries.length === 0
    ? `<p class="quiet">Connect Zapier, and press what you like. Each thing that happens is told here, the newest first; secrets in requests are masked.</p>`
    : `<ol class="story">${entries.map(entry).toReversed().join("")}</ol>`
}
</section>`

const button = (name: string, { hint, label }: Actions.Action) =>
  `<form class="action" method="post" action="actions/${name}"><button>${escape(label)}</button><p class="hint">${escape(hint)}</p></form>`

export const whole = (shown: Shown): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Acme Notes, and what it does with Zapier</title>
<style>${style}</style>
</head>
<body>
<header>
<div><h1>Acme Notes</h1><p>A sample app, at which Ada is signed in. Zapier is a fake on this machine, with a control page at the address that was printed.</p></div>
<a class="button main" href="zapier/connect">Connect Zapier</a>
<form method="post" action="zapier/disconnect"><button>Disconnect</button></form>
</header>
<main>
<nav class="card actions" aria-label="What may happen">
${Actions.groups
  .map(
    ({ actions, title }) =>
      `<section><h3>${escape(title)}</h3>${Object.entries(actions)
        .map(([name, action]) => button(name, action))
        .join("")}</section>`
  )
  .join("")}
</nav>
<div id="live" aria-live="polite" aria-busy="false">${live(shown)}</div>
</main>
<script>${script}</script>
</body>
</html>
`
