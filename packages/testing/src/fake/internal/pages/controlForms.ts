/** Components of the control page. Each form does one action, and works without a script. */
import * as Html from "../../../internal/pages/html.ts"

const { html } = Html

/** The path of the control page. Zapier has no such path. */
export const base = "/_control/"

/** Proves that a form comes from this page. */
export type FormSecret = string

/** The target of a form for an action. */
export const actionPath = (action: string): string => `${base}do/${action}`

/** A form for an action. */
export const form = (secret: FormSecret, action: string, fields: Html.Content): Html.Html =>
  html`<form method="post" action="${actionPath(action)}">
    <input type="hidden" name="form" value="${secret}" />${fields}
  </form>`

// Text for screen readers only.
const unseen = (text: string): Html.Html => html`<span class="hidden"> ${text}</span>`

/** A button with its own input. `of` is for screen readers only. */
export const button = (label: string, input: unknown, small?: { readonly of?: string }): Html.Html =>
  html`<button ${small && Html.verbatim('class="small" ')}name="input" value="${JSON.stringify(input)}">
    ${label}${small?.of && unseen(small.of)}
  </button>`

/** A form that is one button. */
export const action = (secret: FormSecret, name: string, ...of: Parameters<typeof button>): Html.Html =>
  form(secret, name, button(...of))

/** A section of the page, with its heading. */
export const section = (id: string, title: string, content: Html.Content): Html.Html =>
  html`<section class="card" aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${content}
  </section>`

/** A labelled input. */
export const input = (id: string, name: string, label: string, attributes = ""): Html.Html =>
  html`<label for="${id}">${label}</label><input id="${id}" name="${name}" ${Html.verbatim(attributes)} />`

/** A labelled choice of values and their texts. */
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

/** A secret that is shown on demand. */
export const secret = (value: string, what: string): Html.Html =>
  html`<details class="secret">
    <summary><code>${value.length > 12 ? `…${value.slice(-4)}` : "…"}</code>${unseen(what)}</summary>
    <code>${value}</code>
  </details>`
