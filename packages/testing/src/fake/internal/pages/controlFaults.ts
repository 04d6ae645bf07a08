/** The fault rules, and the form that adds one. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as FakeFault from "../../FakeFault.ts"
import type { FakeState } from "../../FakeState.ts"
import * as Forms from "./controlForms.ts"
import * as Html from "../../../internal/pages/html.ts"
import * as Words from "../../../internal/pages/words.ts"

const { html } = Html

// The most useful faults. The control API accepts all of them, with any parameters.
const choices: ReadonlyArray<FakeFault.Fault> = [
  ...FakeFault.ofEachKind,
  { _tag: "ResponseSlow", millis: 60_000 },
  { _tag: "ConnectionReset", afterActing: true },
  { _tag: "ServerError", status: 500 },
  { _tag: "ServerError", status: 502, afterActing: true },
  { _tag: "ClockJump", millis: 36_000_000 },
  { _tag: "ClockJump", millis: -3_600_000 }
]

const targets: ReadonlyArray<FakeFault.Target> = ["token", "authorize", "connect", ...Endpoint.names]

const same = (values: ReadonlyArray<string>) => values.map((value) => [value, value] as const)

const fields = ({ users }: FakeState) =>
  html`<div class="fields">
    <div class="wide">
      ${Forms.select(
        "fault",
        "fault",
        "Fault",
        choices.map((fault) => [JSON.stringify(fault), Words.fault(fault)])
      )}
    </div>
    <div class="wide">
      ${Forms.select("endpoint", "endpoint", "Requests to", [
        ["", "any endpoint"],
        ...targets.map((target) => [target, Words.target(target)] as const)
      ])}
    </div>
    <div>
      ${Forms.select("grant-type", "grantType", "Grant type", [["", "any"], ...same(FakeFault.GrantType.literals)])}
    </div>
    <div>${Forms.select("user", "user", "User", [["", "any, or none"], ...same(users.map(({ email }) => email))])}</div>
    <div>${Forms.input("nth", "nth", "Starting with request number", 'type="number" min="1" value="1" ')}</div>
    <div>${Forms.input("times", "times", "How many times", 'type="number" min="1" value="1" ')}</div>
    <label class="check"><input type="checkbox" name="always" value="yes" /> Every time</label>
    <div><button>Inject the fault</button></div>
  </div>`

export const faults = (formSecret: Forms.FormSecret, state: FakeState): Html.Html =>
  Forms.section(
    "faults",
    "Faults",
    html`${
      state.faults.length === 0
        ? html`<p class="quiet">No faults set.</p>`
        : html`<ol class="lines">
              ${state.faults.map(
                (rule) =>
                  html`<li>${Words.fault(rule.fault)} <span class="quiet breaks">${Words.scope(rule)}</span></li> `
              )}
            </ol>
            ${Forms.action(formSecret, "set-faults", "Clear all faults", { rules: [] }, {})}`
    }
    ${Forms.form(formSecret, "add-fault", fields(state))}`
  )
