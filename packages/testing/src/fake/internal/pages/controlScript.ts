/**
 * The script of the control page. It sends forms without leaving the page, so the scroll position, the focus, typed text and
 * open parts stay. It also polls for new requests every second.
 */
export const script = `
const main = document.querySelector("main")
const news = document.getElementById("news")
const notice = document.getElementById("notice")
const say = (element, text) => { if (element.textContent !== text) element.textContent = text }
const keyOf = (element) => element && [element.id, element.closest("form")?.action, element.value, element.textContent].join(" ")
const focusable = "a, button, input, select, textarea, summary"
const fields = () => [...main.querySelectorAll("input[id], select, textarea, input[type=checkbox]")]
const isTyping = () => document.activeElement?.matches("input, select, textarea")
const refresh = (text, sent) => {
  const fresh = new DOMParser().parseFromString(text, "text/html")
  const told = fresh.getElementById("notice")
  // Another page, for example of a fake that was restarted.
  if (!told) return location.reload()
  const focus = main.contains(document.activeElement) ? document.activeElement : undefined
  const key = keyOf(focus)
  const place = focus?.closest("section")?.getAttribute("aria-labelledby")
  const open = new Set([...main.querySelectorAll("details[open]")].filter((details) => !sent || !details.contains(sent)).map(({ textContent }) => textContent))
  const values = new Map(fields().filter((field) => !sent || !sent.contains(field)).map((field) => [field.id, [field.value, field.checked]]))
  main.replaceChildren(...fresh.querySelector("main").childNodes)
  for (const details of main.querySelectorAll("details")) if (open.has(details.textContent)) details.open = true
  for (const field of fields()) if (values.has(field.id)) [field.value, field.checked] = values.get(field.id)
  if (sent) { notice.className = told.className; say(notice, ""); say(notice, told.textContent.trim()) }
  if (!focus) return
  const same = [...main.querySelectorAll(focusable)].find((element) => keyOf(element) === key && element.checkVisibility())
  const target = same ?? document.getElementById(place)
  if (target) { if (!same) target.tabIndex = -1; target.focus({ preventScroll: same !== undefined }) }
}
document.addEventListener("submit", async (event) => {
  event.preventDefault()
  const form = event.target
  const body = new URLSearchParams(new FormData(form, event.submitter))
  try {
    const response = await fetch(form.action, { method: "POST", body })
    const text = await response.text()
    // A rejected form keeps its input.
    refresh(text, response.ok ? form : document.createElement("form"))
  } catch {
    notice.className = "notice problem"
    say(notice, "The fake does not respond.")
  }
})
let tag = document.getElementById("log").dataset.tag
const look = async () => {
  if (document.hidden) return
  const log = document.getElementById("log")
  const response = await fetch(log.dataset.path, { headers: { "if-none-match": tag } })
  if (response.status === 304) return say(news, news.textContent.startsWith("The fake") ? "Live" : news.textContent)
  if (response.status !== 200) return say(news, "This page is out of date. Reload it.")
  tag = response.headers.get("etag")
  log.innerHTML = await response.text()
  const [, request, status] = log.rows[0].cells
  say(news, status === undefined ? "" : "Newest: " + request.innerText + ", " + status.innerText.replace(/\\s+/g, " "))
  if (isTyping()) return
  const page = await fetch(location.pathname)
  if (page.ok) refresh(await page.text())
}
const live = async () => {
  await look().catch(() => say(news, "The fake does not respond."))
  setTimeout(live, 1000)
}
say(news, "Live")
setTimeout(live, 1000)
`
