/**
 * The page of a run that broke a rule: the rule, the steps, how to repeat them, and a sequence diagram. The diagram is
 * a grid of HTML, so that its text wraps, is read aloud, and can be searched. Libraries such as Mermaid draw only in a
 * browser, with a script of megabytes.
 */
import * as Struct from "effect/Struct"
import type * as Diagram from "./model.ts"
import * as Styles from "./styles.ts"
import * as Document from "../pages/document.ts"
import * as Html from "../pages/html.ts"
import * as Violation from "../../Violation.ts"
import * as Words from "../pages/words.ts"

const { html } = Html

interface Page {
  readonly violation: Violation.Violation | undefined
  readonly diagram: Diagram.Diagram
  readonly again: ReadonlyArray<{ readonly title: string; readonly code: string }>
}

type Of<Tag extends Diagram.Entry["_tag"]> = Extract<Diagram.Entry, { readonly _tag: Tag }>

const two = (number: number) => String(number).padStart(2, "0")

/** Hours, minutes, seconds and milliseconds. */
const clock = (millis: number): string => {
  const seconds = Math.floor(millis / 1_000)
  const time = `${Math.floor(seconds / 3_600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return `${time}.${String(Math.floor(millis) % 1_000).padStart(3, "0")}`
}

// Gaps from this length on are shown, in milliseconds.
const long = 60_000

const signs: { readonly [tone in Diagram.Tone]: string } = { Plain: "", Good: "✓ ", Ask: "↻ ", Later: "… ", Bad: "✕ " }

// The names of tokens do not break across lines.
const worded = (text: string): Html.Content =>
  text.split(/([\w-]+#\d+)/).map((part, index) => (index % 2 === 0 ? part : html`<span class="token">${part}</span>`))

const toned = (tone: Diagram.Tone, text: string): Html.Html =>
  tone === "Plain"
    ? html`${worded(text)}`
    : html`<span class="${tone}"><span aria-hidden="true">${signs[tone]}</span>${worded(text)}</span>`

const arrow = (lanes: ReadonlyArray<Diagram.Lane>, entry: Of<"Arrow">): Html.Html => {
  const { fault, from, isResponse, isLost, number, text, to, tone } = entry
  const [low, high] = [Math.min(from, to), Math.max(from, to)]
  const side = low + high < lanes.length - 1 ? `l${low}` : `r${high} right`
  const kinds = [`a${low}-${high}`, from <= to ? "east" : "west", isResponse ? "response" : "", isLost ? "lost" : tone]
  return html`<p class="label ${side}">
      <span
        >${number === undefined ? undefined : html`<span class="number">${number}</span> `}<span class="hidden"
          >${lanes[from]?.name} to ${lanes[to]?.name}: </span
        >${toned(isLost ? "Bad" : tone, text)}${isLost ? html`<span class="hidden"> (does not arrive)</span>` : undefined}${
          fault === undefined ? undefined : html` <span class="fault">fault: ${fault}</span>`
        }</span
      >
    </p>
    <span class="arrow ${kinds.join(" ")}" aria-hidden="true"></span>`
}

const note = (lanes: ReadonlyArray<Diagram.Lane>, { lane, text, tone }: Of<"Note">): Html.Html => {
  const place = lane === undefined ? `a0-${Math.max(0, lanes.length - 1)}` : `n${lane}`
  const whose = lane === undefined ? undefined : html`<span class="hidden">${lanes[lane]?.name}: </span>`
  return html`<p class="label note ${place}"><span class="box ${tone}">${whose}${toned(tone, text)}</span></p>`
}

const row = (at: number, isSame: boolean, track: Html.Html): Html.Html =>
  html`<li class="grid">
    <span class="at${isSame ? " same" : ""}">${clock(at)}</span>
    <div class="track">${track}</div>
  </li> `

const violation = ({ at, rule, text }: Of<"Violation">, isFirst: boolean): Html.Html =>
  html`<li class="violation" ${isFirst ? html` id="violation"` : undefined}>
    <strong><span aria-hidden="true">✕ </span>Rule broken: ${rule}</strong>${text}
    <span class="at">${clock(at)}</span>
  </li> `

const entry = (
  { entries, lanes }: Diagram.Diagram,
  entry: Exclude<Diagram.Entry, Of<"Step">>,
  isSame: boolean
): Html.Html => {
  switch (entry._tag) {
    case "Arrow":
      return row(entry.at, isSame, arrow(lanes, entry))
    case "Note":
      return row(entry.at, isSame, note(lanes, entry))
    case "Violation":
      return violation(entry, entries.find(({ _tag }) => _tag === "Violation") === entry)
  }
}

interface Section {
  readonly step: Of<"Step"> | undefined
  readonly entries: Array<Exclude<Diagram.Entry, Of<"Step">>>
}

const sectionsOf = (entries: ReadonlyArray<Diagram.Entry>): ReadonlyArray<Section> => {
  const sections: Array<Section> = []
  for (const entry of entries) {
    if (entry._tag === "Step") sections.push({ step: entry, entries: [] })
    else if (sections.length === 0) sections.push({ step: undefined, entries: [entry] })
    else sections.at(-1)?.entries.push(entry)
  }
  return sections
}

const passed = (from: number, to: number): string | undefined =>
  to - from >= long ? `${Words.duration(to - from)} later` : undefined

const drawn = (diagram: Diagram.Diagram): Html.Html => {
  const { entries, lanes, left } = diagram
  let last = entries[0]?.at ?? 0
  const sections = sectionsOf(entries).map(({ entries, step }, index) => {
    const before = step && passed(last, step.at)
    last = step?.at ?? last
    const rows = entries.map((one, index) => {
      const [gap, isSame] = [passed(last, one.at), one.at === last && (step !== undefined || index > 0)]
      last = one.at
      return html`${gap === undefined ? undefined : html`<li class="gap">${gap}</li> `}${entry(diagram, one, isSame)}`
    })
    return html`${before === undefined ? undefined : html`<p class="gap">${before}</p> `}
      <section id="step-${index}">
        <h3>${step?.text ?? "Before"} <span class="at">${clock(step?.at ?? entries[0]?.at ?? 0)}</span></h3>
        ${
          rows.length === 0
            ? undefined
            : html`<ol class="entries">
                ${rows}
              </ol>`
        }
      </section> `
  })
  const names = lanes.map(({ kind, name }) => html`<li class="${kind}">${name}</li> `)
  return html`${left === 0 ? undefined : html`<p class="quiet">${left} earlier entries are left out.</p>`}
    <div class="diagram">
      <div class="lanes grid">
        <ol class="inner" aria-label="Participants">
          ${names}
        </ol>
      </div>
      ${sections}
    </div>`
}

const stepList = ({ entries }: Diagram.Diagram): Html.Html => {
  const links = sectionsOf(entries).map(({ step }, index) =>
    step === undefined ? undefined : html`<li><a href="#step-${index}">${step.text}</a></li> `
  )
  return html`<section aria-labelledby="done">
    <h2 id="done">Steps</h2>
    <ol class="steps">
      ${links}
    </ol>
  </section>`
}

const againOf = (again: Page["again"]): Html.Html | undefined =>
  again.length === 0
    ? undefined
    : html`<section aria-labelledby="again">
        <h2 id="again">How to repeat it</h2>
        ${again.map(
          ({ code, title }) =>
            html`<h3>${title}</h3>
              <pre><code>${code}</code></pre> `
        )}
      </section>`

const meanings: { readonly [tone in Diagram.Tone]: string | undefined } = {
  Plain: undefined,
  Good: "succeeded",
  Ask: "asked to connect",
  Later: "temporary error",
  Bad: "failed"
}

const arrows = (entries: ReadonlyArray<Diagram.Entry>) => entries.filter((entry) => entry._tag === "Arrow")

// Only marks that occur on the page.
const legend = ({ entries }: Diagram.Diagram): Html.Html => {
  const tones = new Set(entries.flatMap((entry) => ("tone" in entry ? [entry.tone] : [])))
  const isLost = arrows(entries).some(({ isLost }) => isLost)
  return html`<ul class="legend">
    <li>solid line: a request</li>
    <li>dashed line: a response</li>
    ${isLost ? html`<li class="Bad">dotted line: lost</li>` : undefined}
    ${Struct.keys(meanings).map((tone) =>
      tones.has(tone) && meanings[tone] !== undefined
        ? html`<li class="${tone}"><span aria-hidden="true">${signs[tone]}</span>${meanings[tone]}</li>`
        : undefined
    )}
    <li>ada#2: the second pair of tokens issued to ada</li>
  </ul>`
}

/** Writes the page as one file. */
export const write = ({ again, diagram, violation: broken }: Page): string => {
  const title = broken === undefined ? "No rule broken" : `Rule broken: ${broken.rule}`
  const isMarked = diagram.entries.some(({ _tag }) => _tag === "Violation")
  const body = html`<a class="skip" href="#happened">Skip to what happened</a>
    <main>
      <header class="card${broken === undefined ? "" : " broken"}">
        ${broken === undefined ? undefined : html`<p class="eyebrow"><span aria-hidden="true">✕ </span>Rule broken</p>`}
        <h1>${broken?.rule ?? "No rule broken"}</h1>
        ${broken === undefined ? undefined : html`<p>Observed: ${Violation.describe(broken)}</p>`}
        ${isMarked ? html`<p><a href="#violation">Where it was observed</a></p>` : undefined}
      </header>
      <div class="two">${stepList(diagram)} ${againOf(again)}</div>
      <section aria-labelledby="happened">
        <h2 id="happened">What happened</h2>
        ${legend(diagram)} ${drawn(diagram)}
      </section>
    </main>`
  return Document.file(Styles.of(diagram.lanes.length), { title, body })
}
