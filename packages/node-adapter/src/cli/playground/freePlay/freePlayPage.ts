/** The page of free play: the app, its buttons, and for each server the state of the connection and the events. */
import type { Status } from "@zapier-workflow-auth/core/ZapierAuth"
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import * as DateTime from "effect/DateTime"
import * as Actions from "./actions.ts"
import * as Diagram from "./diagram.ts"
import type { Entry } from "./entry.ts"
import type { Facts } from "./world.ts"
import { escape } from "../../../internal/markup.ts"
import { type Server, servers } from "../stories/stories.ts"

/** The known facts about one server. */
export interface Side {
  readonly server: Server
  readonly facts: Facts
  readonly lit: Diagram.Lit
  /** Oldest first. */
  readonly entries: ReadonlyArray<Entry>
  /** The time of the fake's clock, in milliseconds since the epoch. */
  readonly now: number
}

export const style = `
.window { background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: clip; }
.bar { display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: center; padding: 0.5rem 0.75rem; background: var(--raised); border-bottom: 1px solid var(--line); font-size: 0.875rem; }
.bar .address { flex: 1 1 14rem; background: var(--card); border: 1px solid var(--line); border-radius: 999px; padding: 0.125rem 0.875rem; overflow-wrap: anywhere; }
.bar .quiet { font-size: 0.8125rem; }
.window > .inside { padding: 1.125rem; display: grid; gap: 1rem; }
.row.top { align-items: start; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
.groups { display: grid; gap: 1rem 2rem; grid-template-columns: minmax(0, 1fr); }
.groups section { display: grid; gap: 0.5rem; align-content: start; }
.groups ul { list-style: none; padding: 0; display: grid; gap: 0.5rem 0.75rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr)); }
.groups form, .groups li { display: grid; align-content: start; }
.hint { color: var(--quiet); font-size: 0.8125rem; line-height: 1.35; margin: 0.1875rem 0.125rem 0; }
.latest { background: var(--raised); border: 1px solid var(--line); border-radius: 8px; padding: 0.625rem 0.75rem; position: sticky; bottom: 0.5rem; }
.sides { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); align-items: start; }
.side { display: grid; gap: 0.75rem; }
.scrolls { overflow-x: auto; }
.machine { display: block; width: 100%; height: auto; margin: 0 auto; }
.whole { max-width: 46rem; display: none; }
.compact { max-width: 21rem; }
.caption { max-width: none; text-align: center; font-size: 0.875rem; color: var(--accent); }
.machine text { font-size: 13px; text-anchor: middle; dominant-baseline: central; fill: var(--quiet); paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.machine .state text { font-size: 15px; font-weight: 600; fill: var(--text); stroke: none; }
.machine rect { fill: var(--card); stroke: var(--edge); stroke-width: 1.5; }
.machine .state.lit rect { fill: var(--accent); stroke: var(--accent); }
.machine .state.lit text { fill: var(--on-accent); }
.machine .edge path { fill: none; stroke: var(--edge); stroke-opacity: 0.55; stroke-width: 1.5; }
.machine .edge.lit path { stroke: var(--accent); stroke-opacity: 1; stroke-width: 2.5; }
.machine .edge .lit { fill: var(--accent); font-weight: 600; }
.machine marker path { fill: var(--edge); }
.machine .arrow-lit path { fill: var(--accent); }
.facts { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; font-size: 0.9375rem; }
.facts div { display: flex; gap: 0.5rem; }
.facts dt { color: var(--quiet); }
.log { list-style: none; padding: 0; display: grid; }
.log li { display: grid; grid-template-columns: 4.25rem minmax(0, 1fr); gap: 0.125rem 0.75rem; padding: 0.5rem 0; border-top: 1px solid var(--line); }
.log time { color: var(--quiet); font-size: 0.8125rem; font-variant-numeric: tabular-nums; grid-row: span 2; padding-top: 0.1875rem; }
.log .title { font-weight: 600; overflow-wrap: anywhere; }
.log .words { color: var(--quiet); font-size: 0.9375rem; }
.You .title { color: var(--accent); }
.Control .title { color: var(--info); }
.Request .title { font-weight: 400; }
.Result .title { color: var(--good); }
.isFailure .title { color: var(--bad); }
.times { margin-left: 0.5rem; padding: 0 0.5rem; border-radius: 999px; border: 1px solid var(--edge); font-size: 0.8125rem; white-space: nowrap; }
@media (min-width: 64rem) {
  .sides { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
  .groups { grid-template-columns: 3fr 2fr; }
}
@media (min-width: 84rem) { .whole { display: block; } .compact { display: none; } }
@media (max-width: 30rem) {
  .log li { grid-template-columns: minmax(0, 1fr); }
  .log time { grid-row: auto; padding: 0; }
}
`

const draw = {
  whole: Diagram.make({ name: "Ada's connection", edges: UserGrant.edges, kind: "whole" }),
  compact: Diagram.make({ name: "Ada's connection", edges: UserGrant.edges, kind: "compact" })
}

const names: { readonly [S in Server]: string } = { Strict: "Strict server", Lenient: "Lenient server" }

const timeOf = (at: number) => DateTime.formatIso(DateTime.makeUnsafe(at)).slice(11, 19)

const titleOf = ({ kind, title }: Entry) => (kind === "Request" ? `<code>${escape(title)}</code>` : escape(title))

const repeated = ({ times }: Entry) => (times === undefined ? "" : `<span class="times">× ${times}</span>`)

const entry = (each: Entry) =>
  `<li class="${each.kind}${each.isFailure === true ? " isFailure" : ""}"><time>${timeOf(each.at)}</time><p class="title">${titleOf(each)}${repeated(each)}</p><p class="words">${escape(each.words)}</p></li>`

const minutes = (millis: number) => {
  const whole = Math.floor(millis / 60_000)
  return `${Math.floor(whole / 60)} h ${whole % 60} min`
}

const known = (status: Status, now: number): ReadonlyArray<readonly [string, string]> => {
  switch (status._tag) {
    case "Absent":
      return [["Ada", "not connected"]]
    case "ReconnectRequired":
      return [
        ["Ada", "has to connect again"],
        [
          "Reason",
          status.why === "ResponseLost" ? "a refresh got no usable response" : "Zapier rejects the refresh token"
        ]
      ]
    case "Active":
    case "Refreshing":
      return [
        ["Ada", "connected"],
        ["Generation", `${status.generation}`],
        ["Scopes", status.scopes.join(" ")],
        ["Access token", status.expiresAt > now ? `${minutes(status.expiresAt - now)} left` : "expired"]
      ]
  }
}

const factList = (facts: ReadonlyArray<readonly [string, string]>) =>
  `<dl class="facts">${facts.map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(value)}</dd></div>`).join("")}</dl>`

const side = ({ entries, facts, lit, now, server }: Side) => {
  const shown = { ...lit, state: facts.status._tag }
  return `<section class="card side" id="side-${server}" aria-labelledby="server-${server}">
<div><h2 id="server-${server}">${names[server]}</h2><p class="quiet">${escape(servers[server].words)}</p></div>
${factList(known(facts.status, now))}
<div>${draw.whole(shown, `whole-${server}`)}${draw.compact(shown, `compact-${server}`)}</div>
<h3>What happened at the ${names[server].toLowerCase()}, newest first</h3>
${
  entries.length === 0
    ? `<p class="quiet">Nothing yet. Connect Zapier, then press a button. Secrets in requests are masked.</p>`
    : `<ol class="log">${entries.map(entry).toReversed().join("")}</ol>`
}
</section>`
}

/** A form with one button, which says why it is disabled. */
const button = (action: string, id: string, label: string, hint: string, useless: string | undefined) =>
  `<form method="post" action="${action}"><button id="${id}" aria-describedby="${id}-hint"${useless === undefined ? "" : ' aria-disabled="true"'}>${escape(label)}</button><p class="hint" id="${id}-hint">${escape(useless ?? hint)}</p></form>`

const group = ({ actions, title }: (typeof Actions.groups)[number], facts: ReadonlyArray<Facts>) =>
  `<section><h3>${escape(title)}</h3><ul>${Object.entries(actions)
    .map(
      ([name, action]) =>
        `<li>${button(`actions/${name}`, name, action.label, action.hint, Actions.uselessAt(action, facts))}</li>`
    )
    .join("")}</ul></section>`

// The outcome of the user's last action, or the action itself until it has one.
const latestOf = (entries: ReadonlyArray<Entry>): Entry | undefined => {
  const at = entries.findLastIndex(({ kind }) => kind === "You" || kind === "Control")
  const after = entries.slice(at + 1)
  return (
    after.findLast(({ kind }) => kind === "Result") ?? after.findLast(({ kind }) => kind === "Machine") ?? entries[at]
  )
}

const latest = (sides: ReadonlyArray<Side>) =>
  sides
    .flatMap(({ entries, server }) => {
      const last = latestOf(entries)
      return last === undefined
        ? []
        : `<p class="${last.kind}${last.isFailure === true ? " isFailure" : ""}"><span class="quiet">${names[server]}:</span> <span class="title">${escape(last.title)}</span> ${escape(last.words)}</p>`
    })
    .join("")

/** The newest event, for screen readers. */
export const newsOf = (sides: ReadonlyArray<Side>): string =>
  sides
    .flatMap(({ entries, server }) => {
      const last = latestOf(entries)
      return last === undefined ? [] : [`${names[server]}: ${last.title} ${last.words}`]
    })
    .join(" ")

export interface Options {
  /** The addresses of the app and of the fake. */
  readonly origin: string
  readonly fakeOrigin: string
}

/** An address bar as in a browser, with the address that the page would have in a real app. */
const bar = (address: string, words: string) =>
  `<div class="bar"><span class="address"><span class="hidden">Address: </span>${escape(address)}</span><span class="quiet">${escape(words)}</span></div>`

const connection = (facts: ReadonlyArray<Facts>) => {
  const { disconnect } = Actions.connection
  const useless = Actions.uselessAt(disconnect, facts)
  return `<div class="row top"><a class="button main" href="zapier/connect">Connect Zapier</a>${button("actions/disconnect", "disconnect", disconnect.label, disconnect.hint, useless)}</div>`
}

export const body = (sides: ReadonlyArray<Side>, { fakeOrigin, origin }: Options): string => {
  const facts = sides.map((one) => one.facts)
  return `
<section class="window" aria-labelledby="app">
${bar("https://acme-notes.example/settings", `The app's page, served here by ${origin}. Connect leads to Zapier's page, played by ${fakeOrigin}.`)}
<div class="inside">
<div><h2 id="app">Acme Notes</h2><p class="quiet">A sample app that uses the library. Ada is signed in.</p></div>
${connection(facts)}
<div class="groups">${Actions.groups.map((one) => group(one, facts)).join("")}</div>
<div class="latest" aria-labelledby="latest"><h3 id="latest">Latest</h3>${latest(sides) || `<p class="quiet">Nothing has happened yet.</p>`}</div>
</div>
</section>
<p class="quiet">Everything happens at two servers at the same time. They differ in one thing: what a refresh token does when it is used twice. Zapier does not document which kind it is. The control page acts on the strict server.</p>
<div class="sides">${sides.map(side).join("")}</div>`
}
