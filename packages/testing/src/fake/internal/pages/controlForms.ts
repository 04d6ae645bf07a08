/** What the parts of the control page are made of. Each form does one action, and works without a script. */
import * as Html from "../../../internal/pages/html.ts"

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

// What is read out and not shown.
const unseen = (text: string): Html.Html => html`<span class="hidden"> ${text}</span>`

/** A button with an input of its own. What it is `of` is read out and not shown. */
export const button = (label: string, input: unknown, small?: { readonly of?: string }): Html.Html =>
  html`<button ${small && Html.verbatim('class="small" ')}name="input" value="${JSON.stringify(input)}">
    ${label}${small?.of && unseen(small.of)}
  </button>`

/** A form that is one button. */
export const action = (secret: FormSecret, name: string, ...of: Parameters<typeof button>): Html.Html =>
  form(secret, name, button(...of))

/** A part of the page, with its heading. */
export const section = (id: string, title: string, content: Html.Content): Html.Html =>
  html`<section class="card" aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section>`

/** A line of input. */
export const input = (id: string, name: string, label: string, attributes = ""): Html.Html =>
  html`<label for="${id}">${label}</label><input id="${id}" name="${name}" ${Html.verbatim(attributes)} />`

/** A choice, of values and what is shown of them. */
export const select = (
  id: string,
  name: string,
  label: string,
  options: ReadonlyArray<readonly [value: string, shown: string]>
): Html.Html =>
  html`<label for="${id}">${label}</label>
    <select id="${id}" name="${name}">
      ${options.map(([value, shown]) => html`<option value="${value}">${shown}</option> `)}
    </select>`

/** A secret that shows when it is asked for. */
export const secret = (value: string, what: string): Html.Html =>
  html`<details class="secret">
    <summary><code>${value.length > 12 ? `…${value.slice(-4)}` : "…"}</code>${unseen(what)}</summary>
    <code>${value}</code>
  </details>`
