/** Apps as Zapier's Embed settings have them, and users. */
import type { App, User } from "../../FakeState.ts"
import * as Forms from "./controlForms.ts"
import * as Html from "./html.ts"

const { html } = Html

const app = (formSecret: Forms.FormSecret, { clientId, clientSecret, name, redirectUris }: App) =>
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
    </dl>
    ${Forms.form(
      formSecret,
      "regenerate-secret",
      Forms.button(html`Regenerate the secret${Forms.unseen(`of ${name}`)}`, { clientId }, true)
    )}
  </li> `

const registration = html`<div class="fields">
  <div class="wide"><label for="app-name">Name</label><input id="app-name" name="name" required /></div>
  <div class="wide">
    <label for="app-uris">Redirect URIs, one a line</label>
    <textarea id="app-uris" name="redirectUris" rows="2" required></textarea>
  </div>
  <div><button class="small">Register</button></div>
</div>`

export const apps = (formSecret: Forms.FormSecret, all: ReadonlyArray<App>): Html.Html =>
  html`<section class="card" aria-labelledby="apps">
    <h2 id="apps">Apps</h2>
    ${
      all.length === 0
        ? html`<p class="quiet">There is none yet: register one.</p>`
        : html`<ul class="entries">
            ${all.map((one) => app(formSecret, one))}
          </ul>`
    }
    <details>
      <summary>Register an app</summary>
      ${Forms.form(formSecret, "register-app", registration)}
    </details>
  </section>`

const user = ({ email, firstName, lastName }: User) =>
  html`<li class="breaks">${email} <span class="quiet">${firstName} ${lastName}</span></li> `

const addition = html`<div class="fields">
  <div><label for="user-email">E-mail address</label><input id="user-email" name="email" type="email" required /></div>
  <div><label for="user-first">First name</label><input id="user-first" name="firstName" /></div>
  <div><label for="user-last">Last name</label><input id="user-last" name="lastName" /></div>
  <div><button class="small">Add</button></div>
</div>`

export const users = (formSecret: Forms.FormSecret, all: ReadonlyArray<User>): Html.Html =>
  html`<section class="card" aria-labelledby="users">
    <h2 id="users">Users</h2>
    <ul class="lines">
      ${all.map(user)}
    </ul>
    <details>
      <summary>Add a user</summary>
      ${Forms.form(formSecret, "register-user", addition)}
    </details>
  </section>`
