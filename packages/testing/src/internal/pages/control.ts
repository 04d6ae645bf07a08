/** The control page: what the fake knows, and buttons for what no client can do. */
import type { FakeResponse } from "../../FakeHttp.ts"
import type { FakeState } from "../../FakeState.ts"
import type * as RequestLog from "../../RequestLog.ts"
import * as View from "../control/view.ts"
import * as Apps from "./controlApps.ts"
import * as Faults from "./controlFaults.ts"
import * as Forms from "./controlForms.ts"
import * as Grants from "./controlGrants.ts"
import * as Log from "./controlLog.ts"
import * as Document from "./document.ts"
import * as Html from "./html.ts"
import * as Styles from "./styles.ts"
import * as Words from "./words.ts"

const { html } = Html

// The referrer stays here: without one, browsers do not say which page sends a form.
const kind = Document.kind({
  style: Styles.control,
  script: Log.script,
  policy: ["connect-src 'self'", "form-action 'self'"],
  referrerPolicy: "same-origin"
})

const plain = Document.kind({
  style: Styles.control,
  policy: ["form-action 'none'"],
  referrerPolicy: "same-origin"
})

export interface Model {
  readonly state: FakeState
  /** What the fake's clock shows, in milliseconds since the epoch. */
  readonly time: number
  /** The oldest first. */
  readonly requests: ReadonlyArray<RequestLog.Entry>
  /** When the snapshot is from that can be restored, by the fake's clock. */
  readonly snapshotAt: number | undefined
  readonly formSecret: Forms.FormSecret
  /** What was done, or why not. */
  readonly notice: { readonly isProblem: boolean; readonly text: string } | undefined
}

const notice = ({ isProblem, text }: NonNullable<Model["notice"]>) =>
  html`<p class="card notice breaks${isProblem ? " problem" : ""}" role="${isProblem ? "alert" : "status"}">${text}</p>`

const clock = ({ formSecret, state, time }: Model) =>
  html`<section class="card" aria-labelledby="clock">
    <h2 id="clock">Clock</h2>
    <div>
      <p class="big"><time datetime="${Words.moment(time).replace(" UTC", "Z")}">${Words.moment(time)}</time></p>
      <p class="quiet">${Words.offset(state.clockOffset)}</p>
    </div>
    ${Forms.form(
      formSecret,
      "advance",
      html`<div class="row" role="group" aria-label="Move the clock ahead">
        ${Forms.button("+ 1 minute", { by: "1 minute" })} ${Forms.button("+ 1 hour", { by: "1 hour" })}
        ${Forms.button("+ 10 hours", { by: "10 hours" })}
      </div>`
    )}
  </section>`

const snapshots = ({ formSecret, snapshotAt }: Model) =>
  html`<section class="card" aria-labelledby="snapshot">
    <h2 id="snapshot">Everything at once</h2>
    <p class="quiet">
      ${
        snapshotAt === undefined
          ? "A snapshot keeps all that the fake knows, to go back to it."
          : `There is a snapshot of ${Words.moment(snapshotAt)}.`
      }
    </p>
    <div class="row">
      ${Forms.form(formSecret, "snapshot", Forms.button("Take a snapshot", {}))}
      ${snapshotAt === undefined ? undefined : Forms.form(formSecret, "restore", Forms.button("Restore it", {}))}
      ${Forms.form(formSecret, "reset", Forms.button("Reset to the start", {}))}
    </div>
  </section>`

const links = [
  ["clock", "Clock"],
  ["apps", "Apps"],
  ["faults", "Faults"],
  ["grants", "Grants"],
  ["requests", "Requests"]
] as const

export const control = (status: number, model: Model): FakeResponse => {
  const { formSecret, requests, state, time } = model
  return Document.page(kind, status, {
    title: "Fake Zapier: control",
    body: html`<a class="skip" href="#main">Skip to the content</a>
      <header>
        <h1>Fake Zapier</h1>
        <nav aria-label="Parts of this page">
          <ul>
            ${links.map(([id, label]) => html`<li><a href="#${id}">${label}</a></li> `)}
            <li><a href="${Forms.base}">Refresh</a></li>
          </ul>
        </nav>
      </header>
      <main id="main">
        ${model.notice === undefined ? undefined : notice(model.notice)}
        <div class="two">${clock(model)} ${snapshots(model)}</div>
        <div class="two">
          <div class="stack">
            ${Apps.apps(formSecret, View.apps(state))} ${Apps.users(formSecret, state.users)}
            ${Faults.faults(formSecret, state)}
          </div>
          <div class="stack">
            ${Grants.grants(formSecret, state, time)} ${Grants.appTokens(formSecret, state, time)}
          </div>
        </div>
        ${Log.log(requests)}
      </main>
      <footer class="quiet">
        Tokens and secrets are no real ones, and end with the fake. Tests do the same over HTTP, with ${Forms.base}api/.
      </footer>`
  })
}

/** Why somebody does not get to see what they asked for. */
export const refusal = (status: number, title: string, problem: string): FakeResponse =>
  Document.page(plain, status, {
    title,
    body: html`<main>
      <section class="card">
        <h1>${title}</h1>
        <p class="breaks">${problem}</p>
      </section>
    </main>`
  })
