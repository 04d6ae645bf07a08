/** Grants and tokens, with the time left. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as View from "../control/view.ts"
import type { AccessToken, AppToken, FakeState } from "../../FakeState.ts"
import * as Forms from "./controlForms.ts"
import * as Html from "../../../internal/pages/html.ts"
import * as Words from "../../../internal/pages/words.ts"

const { html } = Html

/** How many are shown: thousands of forms would be of no use. */
const most = 25

const entries = <A>(all: ReadonlyArray<A>, entry: (one: A) => Html.Html) =>
  html`<ul class="entries">
      ${all.slice(0, most).map(entry)}
    </ul>
    ${
      all.length <= most
        ? undefined
        : html`<p class="quiet">And ${all.length - most} more: the control API lists them all.</p>`
    }`

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
              ${Forms.action(formSecret, "end-access-token", "End", { accessToken }, { of: `the access token of ${whose}` })}
            </td>
          </tr> `
      )}
    </tbody>
  </table>`

const scopes = (all: ReadonlyArray<string>) => all.map((scope) => html`<code>${scope}</code> `)

const nameOf = ({ apps }: FakeState, clientId: string) =>
  Option.match(HashMap.get(apps, clientId), { onNone: () => clientId, onSome: ({ name }) => name })

export const grants = (formSecret: Forms.FormSecret, state: FakeState, time: number): Html.Html => {
  const all = View.grants(state)
  const grant = ({ accessTokens, clientId, grantId, refreshToken, scopes: granted, ...of }: View.Grant) => {
    const app = nameOf(state, clientId)
    // A White Label user is known by the partner's ids. The e-mail address is made up.
    const user = of.whiteLabel === undefined ? of.user : `${of.whiteLabel.user} of ${of.whiteLabel.tenant}`
    const whose = `${user} for ${app}`
    return html`<li>
      <div class="row between">
        <h3 class="breaks">${user} <span class="quiet">for ${app}</span></h3>
        ${Forms.action(formSecret, "revoke", "Revoke", { grantId }, { of: `the connection of ${whose}` })}
      </div>
      <dl>
        <dt>Scopes</dt>
        <dd>${scopes(granted)}</dd>
        <dt>Refresh token</dt>
        <dd>${refreshToken === undefined ? "none" : Forms.secret(refreshToken, `refresh token of ${whose}`)}</dd>
      </dl>
      ${
        accessTokens.length === 0
          ? html`<p class="quiet">No valid access tokens.</p>`
          : tokens(formSecret, accessTokens, time, whose)
      }
    </li> `
  }
  return Forms.section(
    "grants",
    "Connections",
    all.length === 0 ? html`<p class="quiet">No user has connected an app yet.</p>` : entries(all, grant)
  )
}

export const appTokens = (formSecret: Forms.FormSecret, state: FakeState, time: number): Html.Html | undefined => {
  const all = View.appTokens(state)
  const own = (token: AppToken) => {
    const app = nameOf(state, token.clientId)
    return html`<li>
      <h3 class="breaks">${app}</h3>
      <p>${scopes(token.scopes)}</p>
      ${tokens(formSecret, [token], time, app)}
    </li> `
  }
  return all.length === 0 ? undefined : Forms.section("app-tokens", "App tokens", entries(all, own))
}
