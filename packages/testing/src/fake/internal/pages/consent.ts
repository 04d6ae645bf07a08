/** The pages that users of an app see: consent with a choice of the user, and errors. */
import type * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import type { FakeResponse } from "../../FakeHttp.ts"
import type { App, User } from "../../FakeState.ts"
import * as AddressBar from "./addressBar.ts"
import * as Document from "../../../internal/pages/document.ts"
import * as Html from "../../../internal/pages/html.ts"
import * as Styles from "../../../internal/pages/styles.ts"

const { html } = Html

// Zapier's descriptions, shortened.
const words: { readonly [scope in (typeof Scopes.known)[number]]: string } = {
  profile: "See your name and e-mail address",
  zap: "See the Zaps that it made for you",
  "zap:write": "Create Zaps for you",
  "zap:update": "Change your Zaps",
  "zap:delete": "Delete your Zaps",
  "zap:pause": "Turn your Zaps off and on",
  "zap:all": "See all of your Zaps",
  "zap:account:all": "See all Zaps in your account, including those of others",
  "zap:runs": "See when your Zaps ran, and with what result",
  "action:run": "Run actions in your connected apps",
  authentication: "See which apps you have connected",
  "authentication:write": "Connect apps for you",
  "connection:webhook:read": "See the webhooks of your connections",
  "connection:webhook:write": "Add and remove webhooks of your connections",
  "connection:read": "See your connections to apps",
  "connection:write": "Add connections to apps for you",
  "promotions:read": "See which promotions you take part in",
  "promotions:write": "Enroll you in promotions",
  external: "Use Zapier for you from other programs",
  "mcp:run": "Use tools for AI assistants, for you"
}

const isKnown = (scope: Scopes.Scope): scope is keyof typeof words => Object.hasOwn(words, scope)

/** A scope in words for a user. */
export const ofScope = (scope: Scopes.Scope): string =>
  isKnown(scope) ? words[scope] : "A permission that this fake does not know"

// The policy does not restrict the form's target: browsers would apply it to every redirect after it, and an app may
// redirect on. Without a referrer, a browser would not send the form's origin.
const kind = Document.kind({ style: Styles.consent, policy: [], referrerPolicy: "same-origin" })

/** Says that this is not the real one. */
export const note = html`<p class="quiet">This is a fake Zapier, for development and tests.</p>`

export interface Consent {
  readonly app: App
  readonly scopes: ReadonlyArray<Scopes.Scope>
  readonly redirectUri: string
  readonly users: ReadonlyArray<User>
  /** The e-mail address of the preselected user. */
  readonly signedIn: string | undefined
  /** The target of the form. */
  readonly action: string
}

const nameOf = ({ email, firstName, lastName }: User): string => {
  const name = `${firstName} ${lastName}`.trim()
  return name === "" ? email : `${name} (${email})`
}

const option = (user: User, isSignedIn: boolean) =>
  html`<option value="${user.email}" ${isSignedIn ? Html.verbatim("selected") : undefined}>${nameOf(user)}</option> `

const destination = (redirectUri: string): string => new URL(redirectUri).host || redirectUri

export const consent = ({ action, app, redirectUri, scopes, signedIn, users }: Consent): FakeResponse =>
  Document.page(kind, 200, {
    title: `Allow ${app.name} to use Zapier for you?`,
    body: html`${AddressBar.consent}
      <main class="card">
        <h1 class="breaks">Allow ${app.name} to use Zapier for you?</h1>
        <section>
          <h2 class="quiet" id="asks">This app wants to</h2>
          <ul class="scopes" aria-labelledby="asks">
            ${scopes.map((scope) => html`<li><span>${ofScope(scope)}</span><code>${scope}</code></li> `)}
          </ul>
        </section>
        <form method="post" action="${action}">
          <div>
            <label for="user">Signed in as</label>
            <select id="user" name="user" autocomplete="off">
              ${users.map((user) => option(user, user.email === signedIn))}
            </select>
          </div>
          <div class="choices">
            <button class="main" name="decision" value="allow">Allow</button>
            <button name="decision" value="deny">Deny</button>
          </div>
        </form>
        <p class="quiet breaks">Either way, you will return to <code>${destination(redirectUri)}</code>.</p>
        ${note}
      </main>`
  })

// Errors that pass with time.
const passing: ReadonlySet<number> = new Set([429, 503])

export const problem = (status: number, problem: string): FakeResponse => {
  const [title, advice] = passing.has(status)
    ? ["Zapier is not available right now", "Wait a moment, then reload this page."]
    : ["This link does not work", "Go back to the app that sent you here, and tell its developer."]
  return Document.page(kind, status, {
    title,
    body: html`${AddressBar.consent}
      <main class="card">
        <h1>${title}</h1>
        <p class="breaks">${problem}</p>
        <p>${advice}</p>
        ${note}
      </main>`
  })
}
