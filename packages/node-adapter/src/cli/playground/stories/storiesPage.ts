/** The page of the stories. */
import { escape } from "../../../internal/markup.ts"
import type { Progress, Run } from "./playing.ts"
import type { Sources } from "./source.ts"
import { type Server, servers, stories, type Story } from "./stories.ts"
import type { Column } from "./storyProcess.ts"
import { type Head, headsOf, type Outcome, type ToldStep } from "./tell.ts"

export const style = `
.lead { color: var(--quiet); max-width: 46rem; }
.stories { display: grid; gap: 1rem; }
.tale { display: grid; gap: 0.75rem 2rem; grid-template-columns: minmax(0, 1fr); align-items: start; }
.tale .about { display: grid; gap: 0.5rem; justify-items: start; }
.told { list-style: none; padding: 0; display: grid; counter-reset: step; }
.told .words { counter-increment: step; }
.told .words::before { content: counter(step) ". "; }
.told > li { border-top: 1px solid var(--line); padding: 0.625rem 0; display: grid; gap: 0.5rem; }
.told > li:first-child { border-top: 0; padding-top: 0; }
.told .words { font-weight: 600; }
.told .to-come { padding: 0.125rem 0; border: 0; color: var(--quiet); }
.told .to-come .words { font-weight: 400; }
.told > li:not(.to-come) + .to-come { border-top: 1px solid var(--line); padding-top: 0.625rem; }
.result { display: grid; gap: 0.625rem; }
.columns { list-style: none; padding: 0; display: grid; gap: 0.5rem 1rem; grid-template-columns: repeat(2, minmax(0, 1fr)); }
.columns-4 { grid-template-columns: repeat(4, minmax(0, 1fr)); }
.columns > li { display: grid; grid-template-columns: 1.25rem minmax(0, 1fr); gap: 0 0.375rem; align-content: start; overflow-wrap: anywhere; }
.columns .column { grid-column: 1 / -1; font-size: 0.8125rem; color: var(--quiet); }
.columns .mark { font-weight: 700; }
.Good .mark { color: var(--good); } .Mixed .mark { color: var(--info); } .Bad .mark { color: var(--bad); }
.verdict { background: var(--raised); border-radius: 8px; padding: 0.75rem; display: grid; gap: 0.625rem; }
.verdict .columns > li { font-weight: 600; }
.verdict .column { font-weight: 400; }
.moral { max-width: 46rem; }
.failure { color: var(--bad); }
.sources { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
.sources pre { margin: 0; overflow: auto; max-height: 34rem; padding: 0.75rem; background: var(--raised); border-radius: 8px; font-size: 0.8125rem; line-height: 1.5; }
summary { cursor: pointer; width: fit-content; border-radius: 4px; }
details[open] > summary { margin-bottom: 0.75rem; }
@media (min-width: 64rem) {
  .tale { grid-template-columns: 19rem minmax(0, 1fr); }
  .sources { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
}
@media (min-width: 40.01rem) and (max-width: 80rem) { .columns-4 { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (max-width: 40rem) {
  .columns, .columns-4 { grid-template-columns: minmax(0, 1fr); }
}
`

const columns: { readonly [C in Column]: string } = { WithLibrary: "With the library", ByHand: "Written by hand" }

const serverNames: { readonly [S in Server]: string } = { Strict: "strict server", Lenient: "lenient server" }

const nameOf = ({ servers }: Story, { column, server }: Head) =>
  servers.length === 1 ? columns[column] : `${columns[column]}, ${serverNames[server]}`

const marks: { readonly [T in Outcome["tone"]]: string } = { Good: "✓", Mixed: "◐", Bad: "✗", Plain: "·" }

const list = (story: Story, outcomes: ReadonlyArray<Outcome>) => {
  const heads = headsOf(story)
  const items = heads.map((head, index) => {
    const { text, tone } = outcomes[index] ?? { text: "", tone: "Plain" }
    return `<li class="${tone}"><span class="column">${escape(nameOf(story, head))}</span><span class="mark" aria-hidden="true">${marks[tone]}</span><span>${escape(text)}</span></li>`
  })
  return `<ul class="columns columns-${heads.length}">${items.join("")}</ul>`
}

const isSaid = (outcomes: ReadonlyArray<Outcome>) => outcomes.some(({ text }) => text !== "")

const step = (story: Story, { outcomes, words }: ToldStep) =>
  `<li><p class="words">${escape(words)}</p>${isSaid(outcomes) ? list(story, outcomes) : ""}</li>`

const toCome = ({ words }: { readonly words: string }) =>
  `<li class="to-come"><p class="words">${escape(words)}</p></li>`

const ending = (story: Story, progress: Progress | undefined): string => {
  switch (progress?._tag) {
    case undefined:
    case "Playing":
      return ""
    case "Waiting":
      return `<p class="quiet">Waiting for another story to end …</p>`
    case "Failed":
      return `<p class="failure">The story could not be played to its end: ${escape(progress.why)}. Play it again.</p>`
    case "Over":
      return `<div class="verdict"><h3>In the end</h3>${list(story, progress.verdicts)}<p class="moral">${escape(story.moral)}</p></div>`
  }
}

const kindsOf = ({ servers: kinds }: Story) =>
  kinds.length === 1 ? "" : kinds.map((kind) => `The ${serverNames[kind]}: ${servers[kind].words}`).join(" ")

const result = (story: Story, run: Run | undefined) => {
  const told = run?.told ?? []
  const steps = [...told.map((done) => step(story, done)), ...story.steps.slice(told.length).map(toCome)]
  const kinds = kindsOf(story) === "" ? "" : `<p class="quiet">${escape(kindsOf(story))}</p>`
  return `${kinds}<ol class="told">${steps.join("")}</ol>${ending(story, run?.progress)}`
}

const isUnderWay = (run: Run | undefined) => run?.progress._tag === "Waiting" || run?.progress._tag === "Playing"

const tale = (name: string, story: Story, run: Run | undefined) => {
  const label = isUnderWay(run) ? "Playing …" : run === undefined ? "Play" : "Play again"
  return `<section class="card tale" id="${name}" aria-labelledby="title-${name}">
<div class="about"><h2 id="title-${name}">${escape(story.title)}</h2><p>${escape(story.lead)}</p>
<form method="post" action="stories/${name}"><button class="main" id="play-${name}" aria-describedby="title-${name}"${isUnderWay(run) ? ' aria-disabled="true"' : ""}>${label}</button></form></div>
<div class="result">${result(story, run)}</div>
</section>`
}

const sourceOf = ({ byHand, withLibrary }: Sources) => `<section class="card" aria-labelledby="sources">
<h2 id="sources">The two clients</h2>
<details id="source"><summary>Show their source</summary>
<div class="sources">
<div><h3>With the library</h3><pre tabindex="0" role="region" aria-label="Source of the client with the library"><code>${escape(withLibrary)}</code></pre></div>
<div><h3>Written by hand</h3><pre tabindex="0" role="region" aria-label="Source of the client written by hand"><code>${escape(byHand)}</code></pre></div>
</div></details>
</section>`

export const body = (runs: ReadonlyMap<string, Run>, sources: Sources): string => `
<p class="lead">Each story runs twice at the same time: with the library, and with a client written by hand. Each client has processes, a database, a user and a fake Zapier of its own. The texts say what happened, not what should have happened. Rate limits are off here.</p>
<div class="stories">
${Object.entries(stories)
  .map(([name, story]) => tale(name, story, runs.get(name)))
  .join("\n")}
${sourceOf(sources)}
</div>`

const spoken = (story: Story, outcomes: ReadonlyArray<Outcome>) =>
  headsOf(story)
    .map((head, index) => `${nameOf(story, head)}: ${outcomes[index]?.text ?? ""}`)
    .join(" ")

const news = (story: Story, { progress, told }: Run): string => {
  const last = told.at(-1)
  if (progress._tag === "Over") return `${story.title}, in the end. ${spoken(story, progress.verdicts)}`
  if (progress._tag === "Failed") return `${story.title} could not be played to its end: ${progress.why}`
  if (last === undefined) return `${story.title} begins.`
  return `${last.words} ${isSaid(last.outcomes) ? spoken(story, last.outcomes) : ""}`.trim()
}

/** The newest event, for screen readers. */
export const newsOf = (runs: ReadonlyMap<string, Run>): string => {
  const [name, run] = [...runs].findLast(([, { progress }]) => progress._tag !== "Waiting") ?? ["", undefined]
  const story = stories[name]
  return story === undefined || run === undefined ? "" : news(story, run)
}
