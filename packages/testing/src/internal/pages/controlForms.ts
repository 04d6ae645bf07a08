/** What the forms of the control page have in common: each does one action, and works without a script. */
import * as Html from "./html.ts"

const { html } = Html

/** Where the control page is. Zapier has no such path. */
export const base = "/_control/"

/** What shows that a form is of this page. */
export type FormSecret = string

/** Where a form goes that does an action. */
export const actionPath = (action: string): string => `${base}do/${action}`

/** A form for an action. */
export const form = (secret: FormSecret, action: string, fields: Html.Content): Html.Html =>
  html`<form method="post" action="${actionPath(action)}">
    <input type="hidden" name="form" value="${secret}" />${fields}
  </form>`

/** A form that is one button, or several: each with an input of its own. */
export const button = (label: Html.Content, input: unknown, isSmall = false): Html.Html =>
  html`<button ${isSmall ? Html.verbatim('class="small" ') : undefined}name="input" value="${JSON.stringify(input)}">
    ${label}
  </button>`

/** What is read out and not shown. */
export const unseen = (text: string): Html.Html => html`<span class="hidden"> ${text}</span>`

/** A secret that shows when it is asked for. */
export const secret = (value: string, what: string): Html.Html =>
  html`<details class="secret">
    <summary><code>${value.length > 12 ? `…${value.slice(-4)}` : "…"}</code>${unseen(what)}</summary>
    <code>${value}</code>
  </details>`
