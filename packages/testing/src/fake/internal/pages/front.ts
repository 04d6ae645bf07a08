/** The front page of a served fake, with all addresses. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as FakeHttp from "../../FakeHttp.ts"
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

const takes = ({ modes, whiteLabelOnly }: Endpoint.Requirement) =>
  modes.length === 0
    ? "none needed"
    : `${modes.map((mode) => credentials[mode]).join(", or ")}${whiteLabelOnly === true ? ", for White Label partners only" : ""}`

const endpoint = (name: Endpoint.Name) => {
  const { scopes } = Endpoint.requirement(name)
  return html`<tr>
    <td><code>${name}</code></td>
    <td>${takes(Endpoint.requirement(name))}</td>
    <td>${scopes.map((scope, index) => html`${index === 0 ? "" : ", "}<code>${scope}</code>`)}</td>
  </tr> `
}

// A token opens the control page, and only the user who started the fake has it.
const control = (base: string) =>
  html`${row(
    "Control page",
    html`<a href="${base}${Forms.base}">${base}${Forms.base}</a>, which the token opens that was printed at the start:
      requests, the clock, faults, connections`
  )}
  ${row("Control API", html`<code>${base}${Forms.base}api/</code>, with the same token, in JSON`)}`

export interface Options {
  /** True if there are a control page and a control API. */
  readonly hasControl: boolean
  /** Further links. */
  readonly links?: ReadonlyArray<{ readonly name: string; readonly url: string }> | undefined
}

// A program accepts JSON but not HTML.
const isProgram = ({ headers }: FakeRequest): boolean => {
  const accept = headers["accept"] ?? ""
  return /\bapplication\/json\b/i.test(accept) && !/\btext\/html\b/i.test(accept)
}

const asJson = (base: string, { hasControl, links = [] }: Options): FakeResponse => {
  const { api, authorize, token } = ZapierUrls.at(base)
  const control = hasControl ? { controlPage: `${base}${Forms.base}`, controlApi: `${base}${Forms.base}api/` } : {}
  const endpoints = Endpoint.names.map((name) => {
    const { modes, scopes } = Endpoint.requirement(name)
    return { endpoint: name, credentials: modes, scopes }
  })
  return FakeHttp.json(200, { authorize, token, api, ...control, links, endpoints }, { "cache-control": "no-store" })
}

/** HTML, or JSON for a program that asks for it. */
export const page = (request: FakeRequest, options: Options): FakeResponse => {
  const { base = production } = request
  const { hasControl, links = [] } = options
  if (isProgram(request)) return asJson(base, options)
  const urls = ZapierUrls.at(base)
  return Document.page(kind, 200, {
    title: "Fake Zapier",
    body: html`<header><h1>Fake Zapier</h1></header>
      <main>
        <p>
          A stand-in for Zapier on this machine, to develop and test with. It knows the apps and users that it was
          started with, and forgets everything when it ends.
        </p>
        ${Forms.section(
          "addresses",
          "Addresses",
          html`<dl>
              ${row(
                "Consent page",
                html`<code>${urls.authorize}</code>, where an app sends its users, with its client id, redirect URI and
                  scopes in the query`
              )}
              ${row("Token endpoint", html`<code>${urls.token}</code>`)}
              ${row(
                "Connect page",
                html`<code>${base}/to/{app}</code>, where a White Label partner sends its users, with a connect token`
              )}
              ${row("API", html`<code>${urls.api}</code>, with the endpoints below`)}
              ${hasControl ? control(base) : undefined}
              ${links.map(({ name, url }) => row(name, html`<a href="${url}">${url}</a>`))}
            </dl>
            <p>Point the library at it with <code>ZapierUrls.at("${base}")</code>.</p>`
        )}
        ${Forms.section(
          "endpoints",
          "Endpoints",
          html`<table>
            <thead>
              <tr>
                <th scope="col">Endpoint</th>
                <th scope="col">Credential</th>
                <th scope="col">Scope, any one of</th>
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
