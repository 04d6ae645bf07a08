/** The front page of a served fake, with all addresses. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import type { FakeRequest, FakeResponse } from "../../FakeHttp.ts"
import { production } from "../links.ts"
import * as Forms from "./controlForms.ts"
import * as Document from "../../../internal/pages/document.ts"
import * as Html from "../../../internal/pages/html.ts"
import * as Styles from "../../../internal/pages/styles.ts"

const { html } = Html

const kind = Document.kind({ style: Styles.control, policy: ["form-action 'none'"], referrerPolicy: "same-origin" })

/** True for a request of the front page. Zapier's API has nothing there. */
export const isFront = ({ method, path }: FakeRequest): boolean =>
  path === "/" && (method === "GET" || method === "HEAD")

const row = (term: string, description: Html.Content) =>
  html`<dt>${term}</dt>
    <dd>${description}</dd> `

const credentials: { readonly [mode in Endpoint.Mode]: string } = {
  User: "a user's access token",
  App: "the app's own access token",
  ClientId: "the client id"
}

const takes = ({ modes }: Endpoint.Requirement) =>
  modes.length === 0 ? "none" : modes.map((mode) => credentials[mode]).join(", or ")

const endpoint = (name: Endpoint.Name) => {
  const { scopes } = Endpoint.requirement(name)
  return html`<tr>
    <td><code>${name}</code></td>
    <td>${takes(Endpoint.requirement(name))}</td>
    <td>${scopes.map((scope, index) => html`${index === 0 ? "" : " or "}<code>${scope}</code>`)}</td>
  </tr> `
}

// A token opens the control page, and only the user who started the fake has it.
const control = (base: string) =>
  html`${row(
    "Control page",
    html`<a href="${base}${Forms.base}">${base}${Forms.base}</a>, opened with the token that was printed at the start:
      what was asked, the clock, faults, and what no client can do`
  )}
  ${row("Control API", html`<code>${base}${Forms.base}api/</code>, with the same token: the same in JSON`)}`

export interface Options {
  /** True if there are a control page and a control API. */
  readonly hasControl: boolean
  /** Further links. */
  readonly links?: ReadonlyArray<{ readonly name: string; readonly url: string }> | undefined
}

export const page = ({ base = production }: FakeRequest, { hasControl, links = [] }: Options): FakeResponse => {
  const urls = ZapierUrls.at(base)
  return Document.page(kind, 200, {
    title: "Fake Zapier",
    body: html`<header><h1>Fake Zapier</h1></header>
      <main>
        <p>
          A stand-in for Zapier, to develop and test with. It knows the apps and users that it was started with, and
          forgets everything when it ends.
        </p>
        ${Forms.section(
          "addresses",
          "Where everything is",
          html`<dl>
              ${row(
                "Consent page",
                html`<code>${urls.authorize}</code>, where an app sends its users, with its client id, redirect URI and
                  scopes in the query`
              )}
              ${row("Token endpoint", html`<code>${urls.token}</code>`)}
              ${row("API", html`<code>${urls.api}</code>, with the endpoints below`)}
              ${hasControl ? control(base) : undefined}
              ${links.map(({ name, url }) => row(name, html`<a href="${url}">${url}</a>`))}
            </dl>
            <p>Point the library at it with <code>ZapierUrls.at("${base}")</code>.</p>`
        )}
        ${Forms.section(
          "endpoints",
          "Endpoints, and what each takes",
          html`<table>
            <thead>
              <tr>
                <th>Endpoint</th>
                <th>Credential</th>
                <th>Scope</th>
              </tr>
            </thead>
            <tbody>
              ${Endpoint.names.map(endpoint)}
            </tbody>
          </table>`
        )}
      </main>`
  })
}
