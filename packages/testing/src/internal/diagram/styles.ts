/** The styles of a diagram: lanes are columns of a grid, arrows span them, and texts stand above their arrows. */
import * as Styles from "../pages/styles.ts"

const lifelines = `background-image: linear-gradient(to right,
  transparent calc(50% - 0.5px), var(--line) calc(50% - 0.5px), var(--line) calc(50% + 0.5px), transparent calc(50% + 0.5px));`

const fixed = `${Styles.common}
:root { --later: #8a5a00; --user: #5b3fa8; --app: #1f5fbf; --store: #4a6b1a; }
@media (prefers-color-scheme: dark) { :root { --later: #f0bf5c; --user: #c0a8ff; --app: #8db9ff; --store: #b4d67c; } }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; padding: 0.5rem; background: var(--card); z-index: 3; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
body { overflow-wrap: anywhere; }
main { max-width: 72rem; margin: 0 auto; padding: 1.25rem 1rem 3rem; display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 1fr); }
main > section, header { display: grid; gap: 0.625rem; min-width: 0; }
.broken { border-left: 6px solid var(--bad); }
.eyebrow { color: var(--bad); font-weight: 700; }
.two { display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 1fr); align-items: start; }
@media (min-width: 56rem) { .two { grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); } }
.two > section { display: grid; gap: 0.625rem; }
ol.steps { padding: 0; list-style: none; display: grid; gap: 0.25rem; }
pre { margin: 0; padding: 0.75rem; background: var(--code); border-radius: 8px; white-space: pre-wrap; }
ul.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; font-size: 0.875rem; }
.diagram { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.lanes { position: sticky; top: 0; z-index: 2; list-style: none; padding: 0.5rem 0; margin: 0;
  background: var(--card); border-bottom: 2px solid var(--edge); border-radius: 12px 12px 0 0; }
.lanes li { text-align: center; font-weight: 600; font-size: 0.875rem; line-height: 1.25; padding: 0.25rem; align-self: end; }
.lanes li::before { content: ""; display: block; width: 1.25rem; height: 0.375rem; margin: 0 auto 0.25rem; border-radius: 3px; background: currentColor; }
.User { color: var(--user); } .App { color: var(--app); } .Store { color: var(--store); } .Zapier { color: var(--accent); } .Other { color: var(--quiet); }
.grid { display: grid; padding-inline: 0.5rem; }
.diagram section { display: block; scroll-margin-top: 4.5rem; }
.diagram h3 { padding: 0.5rem 0.75rem; background: var(--code); border-block: 1px solid var(--line); display: flex; gap: 0.75rem; flex-wrap: wrap; align-items: baseline; }
.diagram h3 .at { font-weight: 400; }
.diagram ol.entries { list-style: none; padding: 0; }
.at { color: var(--quiet); font-size: 0.8125rem; font-variant-numeric: tabular-nums; white-space: nowrap; }
.entries .at { padding: 0.375rem 0.5rem 0 0.25rem; }
.entries .same { visibility: hidden; }
.track { display: grid; padding-block: 0.375rem 0.625rem; }
.label { grid-row: 1; font-size: 0.875rem; line-height: 1.4; min-width: 0; }
.label > span { background: var(--card); padding: 0 0.25rem; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
.right { text-align: right; }
.arrow { grid-row: 2; position: relative; height: 0; margin-top: 0.375rem; border-top: 2px solid currentColor; color: var(--text); }
.response { border-top-style: dashed; }
.arrow::after { content: ""; position: absolute; top: -6px; border: 5px solid transparent; }
.east::after { right: 0; border-left: 9px solid currentColor; border-right: 0; }
.west::after { left: 0; border-right: 9px solid currentColor; border-left: 0; }
.arrow.lost { border-top-style: dotted; color: var(--bad); }
.arrow.lost::after { content: "✕"; border: 0; top: -0.8em; left: calc(50% - 0.4em); right: auto; font-weight: 700; line-height: 1.5; background: var(--card); padding: 0 0.125rem; }
.token { white-space: nowrap; font-weight: 600; }
.number { color: var(--quiet); font-variant-numeric: tabular-nums; }
.Good { color: var(--good); } .Ask { color: var(--accent); } .Later { color: var(--later); } .Bad { color: var(--bad); }
.label .Good, .label .Ask, .label .Later, .label .Bad, .note { font-weight: 600; }
.fault { color: var(--bad); font-weight: 600; border: 1px solid currentColor; border-radius: 4px; padding: 0 0.25rem; white-space: nowrap; }
.note .box { display: inline-block; background: var(--code); border: 1px solid currentColor; border-radius: 6px; padding: 0.125rem 0.5rem; }
.note { text-align: center; }
.gap { padding: 0.25rem 0.75rem; text-align: center; color: var(--quiet); font-size: 0.875rem; font-style: italic; border-block: 1px dotted var(--line); }
.violation { margin: 0.5rem; padding: 0.75rem 1rem; border: 2px solid var(--bad); border-radius: 8px; }
.violation strong { color: var(--bad); display: block; }
@media (max-width: 44rem) {
  main { padding-inline: 0.5rem; } .card { padding: 1rem; }
  .grid { padding-inline: 0; }
  .entries .same { display: none; } .entries .at { padding: 0.25rem 0.25rem 0; width: fit-content; background: var(--card); }
  .lanes li { font-size: 0.75rem; padding: 0.125rem; }
  .label { font-size: 0.8125rem; }
}
@media print {
  :root {
    color-scheme: light; --ground: #fff; --card: #fff; --line: #cfcac1; --edge: #8a847b; --text: #211f1c; --quiet: #5f5a53;
    --accent: #b03a06; --good: #1a6b3c; --bad: #a81e1e; --code: #f4f2ee; --later: #8a5a00; --user: #5b3fa8; --app: #1f5fbf;
    --store: #4a6b1a;
  }
  body { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .lanes { position: static; } .skip, .legend a { display: none; }
  .entries li, h3, .violation, pre { break-inside: avoid; } h3 { break-after: avoid; }
}
`

/** The columns from the middle of one lane to the middle of another. */
const spans = (count: number): string => {
  const rules: Array<string> = []
  for (let low = 0; low < count; low++) {
    for (let high = low; high < count; high++) {
      const width = high - low + 1
      rules.push(`.a${low}-${high} { grid-column: ${low + 1} / ${high + 2}; margin-inline: calc(50% / ${width}); }`)
    }
    const half = 50 / (count - low)
    rules.push(`.l${low} { grid-column: ${low + 1} / -1; padding-left: calc(${half}% + 2px); }`)
    rules.push(`.r${low} { grid-column: 1 / ${low + 2}; padding-right: calc(${50 / (low + 1)}% + 2px); }`)
    // A note is three lanes wide, or stands at an edge.
    const side = low === 0 ? "text-align: left; " : low === count - 1 ? "text-align: right; " : ""
    rules.push(`.n${low} { ${side}grid-column: ${Math.max(1, low)} / ${Math.min(count, low + 2) + 1}; }`)
  }
  return rules.join("\n")
}

/** The styles of a diagram with this many lanes. */
export const of = (count: number): string => {
  const lanes = `repeat(${Math.max(1, count)}, minmax(0, 1fr))`
  return `${fixed}
.grid { grid-template-columns: 6.25rem minmax(0, 1fr); }
.lanes .inner, .track { display: grid; grid-template-columns: ${lanes}; padding-inline: 0; }
.lanes .inner { grid-column: 2; list-style: none; padding: 0; }
.track { ${lifelines} background-size: calc(100% / ${Math.max(1, count)}) 100%; }
@media (max-width: 44rem) {
  .grid { grid-template-columns: minmax(0, 1fr); } .lanes .inner { grid-column: 1; }
  .track { background: none; }
  .entries .grid { ${lifelines} background-size: calc(100% / ${Math.max(1, count)}) 100%; }
}
${spans(count)}
`
}
