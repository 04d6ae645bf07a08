/** What users have allowed, and the tokens with the time that they have left. */
import * as View from "../control/view.ts"
import type { AccessToken, FakeState } from "../../FakeState.ts"
import * as Forms from "./controlForms.ts"
import * as Html from "./html.ts"
import * as Words from "./words.ts"

const { html } = Html

/** How many are shown: a page with thousands of forms helps nobody. */
const most = 25

const more = (all: ReadonlyArray<unknown>) =>
  all.length <= most
    ? undefined
    : html`<p class="quiet">And ${all.length - most} more, which the control API gives.</p>`

const left = (expiresAt: number, time: number) =>
  expiresAt > time
    ? html`<span class="good">${Words.duration(expiresAt - time)}</span>`
    : html`<span class="bad">expired</span>`

const tokens = (
  formSecret: Forms.FormSecret,
  all: ReadonlyArray<AccessToken>,
  time: number,
  whose: string
): Html.Html =>
  html`<table class="tokens">
    <caption class="hidden">
      Access tokens of ${whose}
    </caption>
    <thead>
      <tr>
        <th scope="col">Access token</th>
        <th scope="col">Time left</th>
        <th scope="col"><span class="hidden">End it</span></th>
      </tr>
    </thead>
    <tbody>
      ${all.map(
        ({ accessToken, expiresAt }) =>
          html`<tr>
            <td>${Forms.secret(accessToken, `access token of ${whose}`)}</td>
            <td>${left(expiresAt, time)}</td>
            <td>
              ${Forms.form(
                formSecret,
                "end-access-token",
                Forms.button(html`End${Forms.unseen(`the access token of ${whose}`)}`, { accessToken }, true)
              )}
            </td>
          </tr> `
      )}
    </tbody>
  </table>`

const scopes = (all: ReadonlyArray<string>) => all.map((scope) => html`<code>${scope}</code> `)

const nameOf = (apps: ReadonlyMap<string, string>, clientId: string) => apps.get(clientId) ?? clientId

export const grants = (formSecret: Forms.FormSecret, state: FakeState, time: number): Html.Html => {
  const names = new Map(View.apps(state).map(({ clientId, name }) => [clientId, name]))
  const all = View.grants(state)
  const grant = ({ accessTokens, clientId, grantId, refreshToken, scopes: granted, user }: View.Grant) => {
    const whose = `${user} for ${nameOf(names, clientId)}`
    return html`<li>
      <div class="row between">
        <h3 class="breaks">${user} <span class="quiet">for ${nameOf(names, clientId)}</span></h3>
        ${Forms.form(
          formSecret,
          "revoke",
          Forms.button(html`Revoke${Forms.unseen(`the grant of ${whose}`)}`, { grantId }, true)
        )}
      </div>
      <dl>
        <dt>Scopes</dt>
        <dd>${scopes(granted)}</dd>
        <dt>Refresh token</dt>
        <dd>${Forms.secret(refreshToken, `refresh token of ${whose}`)}</dd>
      </dl>
      ${
        accessTokens.length === 0
          ? html`<p class="quiet">No access token is left.</p>`
          : tokens(formSecret, accessTokens, time, whose)
      }
    </li> `
  }
  return html`<section class="card" aria-labelledby="grants">
    <h2 id="grants">Grants</h2>
    ${
      all.length === 0
        ? html`<p class="quiet">No user has allowed anything yet.</p>`
        : html`<ul class="entries">
              ${all.slice(0, most).map(grant)}
            </ul>
            ${more(all)}`
    }
  </section>`
}

export const appTokens = (formSecret: Forms.FormSecret, state: FakeState, time: number): Html.Html | undefined => {
  const all = View.appTokens(state)
  if (all.length === 0) return undefined
  const names = new Map(View.apps(state).map(({ clientId, name }) => [clientId, name]))
  return html`<section class="card" aria-labelledby="app-tokens">
    <h2 id="app-tokens">Apps' own tokens</h2>
    <ul class="entries">
      ${all.slice(0, most).map(
        (token) =>
          html`<li>
            <h3 class="breaks">${nameOf(names, token.clientId)}</h3>
            <p>${scopes(token.scopes)}</p>
            ${tokens(formSecret, [token], time, nameOf(names, token.clientId))}
          </li> `
      )}
    </ul>
    ${more(all)}
  </section>`
}
