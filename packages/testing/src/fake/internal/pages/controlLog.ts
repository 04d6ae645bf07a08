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
  return html`<span class="${isGood ? "good" : "bad"}">${status === 0 ? "nothing" : status}</span>${
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
    <td colspan="3" class="quiet">None yet.</td>
  </tr>`
  const body = Html.toText(html`${entries.length === 0 ? none : entries.slice(-most).toReversed().map(row)}`)
  return { body, tag: `"${Base64Url.encode(sha256(new TextEncoder().encode(body)))}"` }
}

export const log = (entries: ReadonlyArray<RequestLog.Entry>): Html.Html => {
  const { body, tag } = rows(entries)
  return html`<section class="card" aria-labelledby="requests">
    <div class="row between">
      <h2 id="requests">Requests</h2>
      <p class="quiet breaks" id="news" role="status" aria-live="polite"></p>
    </div>
    <table>
      <caption class="hidden">
        The latest ${most} requests, the newest first
      </caption>
      <thead>
        <tr>
          <th scope="col" class="narrow-hides">Time</th>
          <th scope="col">Request</th>
          <th scope="col">Answer</th>
        </tr>
      </thead>
      <tbody id="log" data-path="${path}" data-tag="${tag}">
        ${Html.verbatim(body)}
      </tbody>
    </table>
  </section>`
}

/** Polls every second. The rows are HTML of this module, in which all data is escaped. */
export const script = `
const log = document.getElementById("log")
const news = document.getElementById("news")
const say = (text) => { if (news.textContent !== text) news.textContent = text }
let tag = log.dataset.tag
const look = async () => {
  if (document.hidden) return
  const answer = await fetch(log.dataset.path, { headers: { "if-none-match": tag } })
  if (answer.status === 304) return
  if (answer.status !== 200) return say("Not live any more: reload the page.")
  tag = answer.headers.get("etag")
  log.innerHTML = await answer.text()
  const [, request, status] = log.rows[0].cells
  say(status === undefined ? "" : "Newest: " + request.innerText + ", " + status.innerText.replace(/\\s+/g, " "))
}
const live = async () => {
  await look().catch(() => say("The fake does not answer."))
  setTimeout(live, 1000)
}
say("Live")
setTimeout(live, 1000)
`
