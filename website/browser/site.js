// The switch between both sides of a page. Without it, a page shows both.
const choices = { both: "Both", without: "Without Effect", with: "With Effect" }

const root = document.documentElement

const choose = (choice) => {
  root.dataset.effect = choice
  for (const input of document.querySelectorAll('input[name="effect"]')) input.checked = input.value === choice
}

const addSwitch = (first) => {
  const fieldset = document.createElement("fieldset")
  fieldset.className = "effect-switch"
  const legend = document.createElement("legend")
  legend.textContent = "Show code"
  fieldset.append(legend)
  for (const [value, text] of Object.entries(choices)) {
    const label = document.createElement("label")
    const input = Object.assign(document.createElement("input"), { type: "radio", name: "effect", value })
    input.addEventListener("change", () => {
      choose(value)
      localStorage.setItem("effect", value)
    })
    label.append(input, ` ${text}`)
    fieldset.append(label)
  }
  first.after(fieldset)
}

// Links of the table of contents go with what they lead to.
const markLinks = () => {
  for (const link of document.querySelectorAll('.tsd-page-navigation a[href^="#"]')) {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)))
    const side = target?.closest(".with-effect, .without-effect")
    if (side) link.parentElement.classList.add(side.className)
  }
}

// A link to what is hidden shows both sides, and forgets no choice.
const reveal = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)))
  if (!target || target.getClientRects().length > 0) return
  choose("both")
  target.scrollIntoView()
}

const title = document.querySelector(".tsd-typography h1")
if (title && document.querySelector(".with-effect") && document.querySelector(".without-effect")) {
  addSwitch(title)
  markLinks()
  choose(root.dataset.effect)
  addEventListener("hashchange", reveal)
  addEventListener("load", reveal)
}

// Diagrams are drawn by Mermaid, which is loaded where there is one, and drawn anew in the colors of another theme.
const diagrams = [...document.querySelectorAll("pre.mermaid")].map((element) => ({
  element,
  text: element.textContent
}))

const isDark = () =>
  root.dataset.theme === "dark" ||
  (root.dataset.theme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches)

const draw = async () => {
  const state = { useMaxWidth: false }
  window.mermaid.initialize({ startOnLoad: false, theme: isDark() ? "dark" : "default", state })
  for (const [index, { element, text }] of diagrams.entries()) {
    const { svg } = await window.mermaid.render(`diagram-${index}`, text)
    element.innerHTML = svg
    // The first state is in the middle of the top.
    element.scrollLeft = (element.scrollWidth - element.clientWidth) / 2
  }
}

if (diagrams.length > 0) {
  const script = document.createElement("script")
  script.src = `${root.dataset.base}assets/mermaid.js`
  script.addEventListener("load", () => {
    const redraw = () => void draw()
    redraw()
    new MutationObserver(redraw).observe(root, { attributeFilter: ["data-theme"] })
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw)
  })
  document.head.append(script)
}
