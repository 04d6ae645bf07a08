/** The control page: the fake's state, and buttons for what no client can do. */
import type { FakeResponse } from "../../FakeHttp.ts"
import type { App, FakeState, User } from "../../FakeState.ts"
import type * as RequestLog from "../../RequestLog.ts"
import * as View from "../control/view.ts"
import * as Faults from "./controlFaults.ts"
import * as Forms from "./controlForms.ts"
import * as Grants from "./controlGrants.ts"
import * as Log from "./controlLog.ts"
import { script } from "./controlScript.ts"
import * as Document from "../../../internal/pages/document.ts"
import * as Html from "../../../internal/pages/html.ts"
import * as Styles from "../../../internal/pages/styles.ts"
import * as Words from "../../../internal/pages/words.ts"

const { html } = Html

// A same-origin referrer: without any, browsers do not send the form's origin.
const kind = Document.kind({
  style: Styles.control,
  script,
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
  /** The fake's time, in milliseconds since the epoch. */
  readonly time: number
  /** Oldest first. */
  readonly requests: ReadonlyArray<RequestLog.Entry>
  /** The fake's time of the snapshot that can be restored. */
  readonly snapshotAt: number | undefined
  readonly formSecret: Forms.FormSecret
  /** Links to other pages, such as a playground. */
  readonly links: ReadonlyArray<{ readonly name: string; readonly url: string }>
  /** The result of an action, or its error. */
  readonly notice: { readonly isProblem: boolean; readonly text: string } | undefined
}

// In the first HTML: screen readers announce only changes of a live region that exists.
const notice = (notice: Model["notice"]) => {
  const kind = notice === undefined ? "" : notice.isProblem ? "notice problem" : "notice"
  return html`<p id="notice" class="${kind}" role="status">${notice?.text}</p>`
}

const clock = ({ formSecret, state, time }: Model) =>
  Forms.section(
    "clock",
    "Clock",
    html`<div>
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
      )}`
  )

const snapshots = ({ formSecret, snapshotAt }: Model) =>
  Forms.section(
    "snapshot",
    "Snapshot and reset",
    html`<p class="quiet">
        ${
          snapshotAt === undefined
            ? "A snapshot saves all that the fake knows, so that you can restore it."
            : `Snapshot taken at ${Words.moment(snapshotAt)}.`
        }
      </p>
      <div class="row">
        ${Forms.action(formSecret, "snapshot", "Take a snapshot", {})}
        ${snapshotAt === undefined ? undefined : Forms.action(formSecret, "restore", "Restore the snapshot", {})}
      </div>
      <details class="asks">
        <summary class="button">Reset …</summary>
        <p>This deletes all connections, tokens, faults and requests, and sets the clock back. It cannot be undone.</p>
        ${Forms.action(formSecret, "reset", "Reset everything", {})}
      </details>`
  )

const partner = ({ issuer, jwksUrl, keys, tenantClaim, userClaim }: NonNullable<App["whiteLabel"]>) =>
  html`<dt>White Label issuer</dt>
    <dd><code>${issuer}</code></dd>
    <dt>Keys</dt>
    <dd>
      ${
        jwksUrl === undefined
          ? html`<ul>
              ${keys.map(({ kid }) => html`<li><code>${kid}</code></li> `)}
            </ul>`
          : html`<code>${jwksUrl}</code>`
      }
    </dd>
    <dt>Claims</dt>
    <dd><code>${userClaim}</code>, <code>${tenantClaim}</code></dd>`

const app = (formSecret: Forms.FormSecret, { clientId, clientSecret, name, redirectUris, whiteLabel }: App) =>
  html`<li>
    <h3 class="breaks">${name}</h3>
    <dl>
      <dt>Client id</dt>
      <dd><code>${clientId}</code></dd>
      <dt>Client secret</dt>
      <dd>${Forms.secret(clientSecret, `client secret of ${name}`)}</dd>
      <dt>Redirect URIs</dt>
      <dd>
        <ul>
          ${redirectUris.map((uri) => html`<li><code>${uri}</code></li> `)}
        </ul>
      </dd>
      ${whiteLabel && partner(whiteLabel)}
    </dl>
    ${Forms.action(formSecret, "regenerate-secret", "Regenerate the secret", { clientId }, { of: `of ${name}` })}
  </li> `

const registration = html`<div class="fields">
  <div class="wide">${Forms.input("app-name", "name", "Name", "required ")}</div>
  <div class="wide">
    <label for="app-uris">Redirect URIs, one a line</label>
    <textarea id="app-uris" name="redirectUris" rows="2" required></textarea>
  </div>
  <div>${Forms.input("app-issuer", "issuer", "Issuer, of a White Label partner")}</div>
  <div>${Forms.input("app-jwks", "jwksUrl", "JWKS URL, of a White Label partner", 'type="url" ')}</div>
  <div><button class="small">Register</button></div>
</div>`

const apps = (formSecret: Forms.FormSecret, all: ReadonlyArray<App>): Html.Html =>
  Forms.section(
    "apps",
    "Apps",
    html`${
        all.length === 0
          ? html`<p class="quiet">No apps registered.</p>`
          : html`<ul class="entries">
              ${all.map((one) => app(formSecret, one))}
            </ul>`
      }
      <details>
        <summary>Register an app</summary>
        ${Forms.form(formSecret, "register-app", registration)}
      </details>`
  )

const user = ({ email, firstName, lastName }: User) =>
  html`<li class="breaks">${email} <span class="quiet">${firstName} ${lastName}</span></li> `

const addition = html`<div class="fields">
  <div>${Forms.input("user-email", "email", "E-mail address", 'type="email" required ')}</div>
  <div>${Forms.input("user-first", "firstName", "First name")}</div>
  <div>${Forms.input("user-last", "lastName", "Last name")}</div>
  <div><button class="small">Add</button></div>
</div>`

const users = (formSecret: Forms.FormSecret, all: ReadonlyArray<User>): Html.Html =>
  Forms.section(
    "users",
    "Users",
    html`<ul class="lines">
        ${all.map(user)}
      </ul>
      <details>
        <summary>Add a user</summary>
        ${Forms.form(formSecret, "register-user", addition)}
      </details>`
  )

const links = [
  ["clock", "Clock"],
  ["apps", "Apps"],
  ["faults", "Faults"],
  ["grants", "Connections"],
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
            ${model.links.map(({ name, url }) => html`<li><a href="${url}">${name}</a></li> `)}
          </ul>
        </nav>
        <p class="quiet news" id="news" role="status"></p>
      </header>
      ${notice(model.notice)}
      <main id="main">
        <div class="board">
          <div class="stack">
            ${clock(model)} ${snapshots(model)} ${apps(formSecret, View.apps(state))} ${users(formSecret, state.users)}
          </div>
          <div class="pair">
            <div class="stack">
              ${Grants.grants(formSecret, state, time)} ${Grants.appTokens(formSecret, state, time)}
            </div>
            <div class="stack">${Faults.faults(formSecret, state)}</div>
            <div class="across">${Log.log(requests)}</div>
          </div>
        </div>
      </main>
      <footer class="quiet">
        These tokens and secrets work at this fake only, until it ends. Tests can do all of this over HTTP, by
        ${Forms.base}api/.
      </footer>`
  })
}

/** The page for a request without access. */
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
