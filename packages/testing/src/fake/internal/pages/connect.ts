/** The Connect page, on which a White Label user connects an app, and how it ends in a popup. */
import type { FakeResponse } from "../../FakeHttp.ts"
import * as Document from "../../../internal/pages/document.ts"
import * as Html from "../../../internal/pages/html.ts"
import * as Styles from "../../../internal/pages/styles.ts"
import { note } from "./consent.ts"

const { html } = Html

// Where the form may lead is not stated, as on the consent page.
const plain = Document.kind({ style: Styles.consent, policy: [], referrerPolicy: "same-origin" })

/** Tells the window that has opened the popup. What it says is no secret. */
const script = `
const { message } = document.querySelector("main").dataset
window.opener?.postMessage(JSON.parse(message), "*")
`

const speaking = Document.kind({ style: Styles.consent, script, policy: [], referrerPolicy: "same-origin" })

export interface Connect {
  /** The app that is to be connected. */
  readonly app: string
  readonly partner: string
  /** The title of the connection that is renewed, if it is not a new one. */
  readonly renewed: string | undefined
  /** How the partner names its look. */
  readonly theme: string | undefined
  /** What shows that the form is of this page. */
  readonly session: string
  /** Where the form is sent. */
  readonly action: string
}

export const connect = ({ action, app, partner, renewed, session, theme }: Connect): FakeResponse => {
  const title = renewed === undefined ? `Connect ${app} to ${partner}?` : `Reconnect ${app} to ${partner}?`
  return Document.page(plain, 200, {
    title,
    body: html`<main class="card">
      <h1 class="breaks">${title}</h1>
      <p class="breaks">
        ${
          renewed === undefined
            ? `${partner} can then use your ${app} account for you.`
            : html`This renews the connection <strong>${renewed}</strong>.`
        }
      </p>
      <form method="post" action="${action}">
        <input type="hidden" name="session" value="${session}" />
        <div class="answers">
          <button class="main" name="decision" value="allow">Allow</button>
          <button name="decision" value="deny">Deny</button>
        </div>
      </form>
      ${theme === undefined ? undefined : html`<p class="quiet breaks">Theme: <code>${theme}</code></p>`} ${note}
    </main>`
  })
}

/** What the window is told that has opened a popup. */
export type Message =
  | { readonly type: "authenticationSuccess"; readonly authId: number }
  | { readonly type: "authenticationError"; readonly error: string }

const ended = (status: number, title: string, detail: string, message: Message): FakeResponse =>
  Document.page(speaking, status, {
    title,
    body: html`<main class="card" data-message="${JSON.stringify(message)}">
      <h1>${title}</h1>
      <p class="breaks">${detail}</p>
      <p>You can close this window.</p>
      ${note}
    </main>`
  })

/** The end of a popup in which an app was connected. */
export const connected = (app: string, message: Message): FakeResponse =>
  ended(200, "Connected", `Your ${app} account is connected.`, message)

/** The end of a popup in which nothing was connected. */
export const failed = (status: number, problem: string, message: Message): FakeResponse =>
  ended(status, "Not connected", problem, message)

/** What is wrong with a link, where there is nobody to tell it to. */
export const problem = (status: number, problem: string): FakeResponse =>
  Document.page(plain, status, {
    title: "This link does not work",
    body: html`<main class="card">
      <h1>This link does not work</h1>
      <p class="breaks">${problem}</p>
      <p>Go back to where you came from, and try again.</p>
      ${note}
    </main>`
  })
