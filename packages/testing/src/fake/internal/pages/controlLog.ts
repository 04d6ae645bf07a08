/** The latest requests, newest first. A script adds new ones, if scripts run. */
import { sha256 } from "@noble/hashes/sha2.js"
import * as Base64Url from "effect/encoding/Base64Url"
import * as RequestLog from "../../RequestLog.ts"
import { base } from "./controlForms.ts"
import * as Html from "../../../internal/pages/html.ts"
import * as Words from "../../../internal/pages/words.ts"

const { html } = Html

/** How many are shown. */
const most = 50

const status = ({ fault, status }: RequestLog.Entry) => {
  const isGood = status > 0 && status < 400 && fault === undefined
  return html`<span class="${isGood ? "good" : "bad"}">${status === 0 ? "no response" : status}</span>${
      fault === undefined ? undefined : html`<br /><span class="quiet">${Words.fault(fault)}</span>`
    }`
}

const row = (entry: RequestLog.Entry) =>
  html`<tr>
    <td class="narrow-hides"><time datetime="${Words.moment(entry.at)}">${Words.clock(entry.at)}</time></td>
    <td><code>${RequestLog.asked(entry.request)}</code></td>
    <td>${status(entry)}</td>
  </tr> `

/** The path that the script polls. */
export const path = `${base}requests`

/** The latest rows, and a tag that changes with them. */
export const rows = (entries: ReadonlyArray<RequestLog.Entry>) => {
  const none = html`<tr>
    <td colspan="3" class="quiet">No requests yet.</td>
  </tr>`
  const body = Html.toText(html`${entries.length === 0 ? none : entries.slice(-most).toReversed().map(row)}`)
  return { body, tag: `"${Base64Url.encode(sha256(new TextEncoder().encode(body)))}"` }
}

export const log = (entries: ReadonlyArray<RequestLog.Entry>): Html.Html => {
  const { body, tag } = rows(entries)
  return html`<section class="card" aria-labelledby="requests">
    <h2 id="requests">Requests</h2>
    <table>
      <caption class="hidden">
        The latest ${most} requests, the newest first
      </caption>
      <thead>
        <tr>
          <th scope="col" class="narrow-hides">Time</th>
          <th scope="col">Request</th>
          <th scope="col">Response</th>
        </tr>
      </thead>
      <tbody id="log" data-path="${path}" data-tag="${tag}">
        ${Html.verbatim(body)}
      </tbody>
    </table>
  </section>`
}
