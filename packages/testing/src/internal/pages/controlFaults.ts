/** What is to go wrong, and the form that adds to it. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as FakeFault from "../../FakeFault.ts"
import type { FakeState } from "../../FakeState.ts"
import * as Forms from "./controlForms.ts"
import * as Html from "./html.ts"
import * as Words from "./words.ts"

const { html } = Html

// What is tried most. The control API takes them all, with any numbers.
const choices: ReadonlyArray<FakeFault.Fault> = [
  ...FakeFault.ofEachKind,
  { _tag: "AnswerSlow", millis: 60_000 },
  { _tag: "ConnectionReset", afterActing: true },
  { _tag: "ServerError", status: 500 },
  { _tag: "ServerError", status: 502, afterActing: true },
  { _tag: "ClockJump", millis: 36_000_000 },
  { _tag: "ClockJump", millis: -3_600_000 }
]

const targets: ReadonlyArray<FakeFault.Target> = ["token", "authorize"]

const option = (value: string, label: string) => html`<option value="${value}">${label}</option> `

const fields = ({ users }: FakeState) =>
  html`<div class="fields">
    <div class="wide">
      <label for="fault">What goes wrong</label>
      <select id="fault" name="fault">
        ${choices.map((fault) => option(JSON.stringify(fault), Words.fault(fault)))}
      </select>
    </div>
    <div class="wide">
      <label for="endpoint">With requests to</label>
      <select id="endpoint" name="endpoint">
        ${option("", "anything")} ${targets.map((target) => option(target, Words.target(target)))}
        ${Endpoint.names.map((name) => option(name, name))}
      </select>
    </div>
    <div>
      <label for="grant-type">Grant type</label>
      <select id="grant-type" name="grantType">
        ${option("", "any")}
        ${["authorization_code", "refresh_token", "client_credentials"].map((type) => option(type, type))}
      </select>
    </div>
    <div>
      <label for="user">User</label>
      <select id="user" name="user">
        ${option("", "any, or none")} ${users.map(({ email }) => option(email, email))}
      </select>
    </div>
    <div>
      <label for="nth">From which request on</label>
      <input id="nth" name="nth" type="number" min="1" value="1" />
    </div>
    <div><label for="times">How often</label><input id="times" name="times" type="number" min="1" value="1" /></div>
    <label class="check"><input type="checkbox" name="always" value="yes" /> Always</label>
    <div><button>Inject</button></div>
  </div>`

export const faults = (formSecret: Forms.FormSecret, state: FakeState): Html.Html =>
  html`<section class="card" aria-labelledby="faults">
    <h2 id="faults">Faults</h2>
    ${
      state.faults.length === 0
        ? html`<p class="quiet">Nothing is to go wrong.</p>`
        : html`<ol class="lines">
              ${state.faults.map(
                (rule) =>
                  html`<li>${Words.fault(rule.fault)} <span class="quiet breaks">${Words.scope(rule)}</span></li> `
              )}
            </ol>
            ${Forms.form(formSecret, "set-faults", Forms.button("Let nothing go wrong", { rules: [] }, true))}`
    }
    ${Forms.form(formSecret, "add-fault", fields(state))}
  </section>`
