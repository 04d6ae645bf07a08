/** The Connect page, on which a White Label user connects an app, and its end in a popup. */
import type { FakeResponse } from "../../FakeHttp.ts"
import type { ConnectMessage } from "../../FakeWhiteLabel.ts"
import * as AddressBar from "./addressBar.ts"
import * as Document from "../../../internal/pages/document.ts"
import * as Html from "../../../internal/pages/html.ts"
import * as Styles from "../../../internal/pages/styles.ts"
import { note } from "./consent.ts"

const { html } = Html

// The policy does not restrict the form's target, as on the consent page.
const plain = Document.kind({ style: Styles.consent, policy: [], referrerPolicy: "same-origin" })

/** Sends the result to the window that opened the popup. It contains no secret. */
const script = `
const { message } = document.querySelector("main").dataset
window.opener?.postMessage(JSON.parse(message), "*")
`

const speaking = Document.kind({ style: Styles.consent, script, policy: [], referrerPolicy: "same-origin" })

export interface Connect {
  /** The app to connect. */
  readonly app: string
  readonly partner: string
  /** The title of the connection to renew, if it is not a new one. */
  readonly renewed: string | undefined
  /** The partner's name for its design. */
  readonly theme: string | undefined
  /** Proves that the form comes from this page. */
  readonly session: string
  /** The target of the form. */
  readonly action: string
}

export const connect = ({ action, app, partner, renewed, session, theme }: Connect): FakeResponse => {
  const title = renewed === undefined ? `Connect ${app} to ${partner}?` : `Reconnect ${app} to ${partner}?`
  return Document.page(plain, 200, {
    title,
    body: html`${AddressBar.connect}
      <main class="card">
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
          <div class="choices">
            <button class="main" name="decision" value="allow">Allow</button>
            <button name="decision" value="deny">Deny</button>
          </div>
        </form>
        ${theme === undefined ? undefined : html`<p class="quiet breaks">Theme: <code>${theme}</code></p>`} ${note}
      </main>`
  })
}

/** The end of a popup, which sends a message to its opener. */
export const ended = (status: number, message: ConnectMessage): FakeResponse => {
  const [title, detail] =
    message.type === "authenticationSuccess"
      ? ["Connected", "Your account is connected."]
      : [
          "Not connected",
          message.error.endsWith("access_denied") ? "You denied access." : `The error is: ${message.error}`
        ]
  return Document.page(speaking, status, {
    title,
    body: html`${AddressBar.connect}
      <main class="card" data-message="${JSON.stringify(message)}">
        <h1>${title}</h1>
        <p class="breaks">${detail}</p>
        <p>You can close this window.</p>
        ${note}
      </main>`
  })
}

/** The error page of a link without an opener. */
export const problem = (status: number, problem: string): FakeResponse =>
  Document.page(plain, status, {
    title: "This link does not work",
    body: html`${AddressBar.connect}
      <main class="card">
        <h1>This link does not work</h1>
        <p class="breaks">${problem}</p>
        <p>Go back to where you came from, and try again.</p>
        ${note}
      </main>`
  })
