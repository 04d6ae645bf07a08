/** The style of all pages: system fonts, few colors, light and dark, from 360 pixels up. */

export const common = `
:root {
  color-scheme: light dark;
  --ground: #f6f5f2; --card: #ffffff; --line: #dedad3; --edge: #8a847b; --text: #211f1c; --quiet: #5f5a53;
  --accent: #b03a06; --accent-text: #ffffff; --good: #1a6b3c; --bad: #a81e1e; --code: #efece6; --focus: #1f5fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #161513; --card: #201e1b; --line: #38352f; --edge: #8b857a; --text: #ece8e1; --quiet: #aea79c;
    --accent: #ff9058; --accent-text: #26100a; --good: #78cf9b; --bad: #ff9a94; --code: #2c2a26; --focus: #8db9ff;
  }
}
* { box-sizing: border-box; }
html { font: 100%/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--ground); color: var(--text); }
h1, h2, h3, p, ul, ol, dl, dd { margin: 0; }
h1 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -0.01em; }
h2 { font-size: 1.125rem; line-height: 1.3; }
h3 { font-size: 1rem; line-height: 1.4; }
a { color: var(--accent); }
code { font: 0.875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); font-size: 0.875rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem; }
.breaks { overflow-wrap: anywhere; }
label { display: block; font-size: 0.875rem; color: var(--quiet); }
input, select, textarea, button { font: inherit; color: inherit; }
select { text-overflow: ellipsis; }
input:not([type="checkbox"]), select, textarea {
  display: block; width: 100%; margin-top: 0.25rem; padding: 0.5rem 0.625rem; color: var(--text);
  background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
}
button {
  padding: 0.5rem 0.875rem; cursor: pointer; background: var(--card); border: 1px solid var(--edge); border-radius: 8px;
}
button:hover { border-color: var(--text); }
button.main { background: var(--accent); border-color: var(--accent); color: var(--accent-text); font-weight: 600; }
button.main:hover { filter: brightness(1.08); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`

export const consent = `${common}
body { display: grid; min-height: 100vh; grid-template-rows: auto 1fr; place-items: center; }
.bar { width: 100%; display: flex; flex-wrap: wrap; gap: 0.25rem 0.75rem; align-items: center; padding: 0.5rem 1rem; background: var(--code); border-bottom: 1px solid var(--line); font-size: 0.875rem; }
.bar .address { flex: 1 1 14rem; background: var(--card); border: 1px solid var(--line); border-radius: 999px; padding: 0.125rem 0.875rem; overflow-wrap: anywhere; }
main { margin: 1rem; width: calc(100% - 2rem); max-width: 29rem; display: grid; gap: 1.25rem; padding: 1.75rem; }
section { display: grid; gap: 0.625rem; }
.scopes { list-style: none; padding: 0; border-block: 1px solid var(--line); }
.scopes li { padding: 0.625rem 0; display: grid; }
.scopes li + li { border-top: 1px solid var(--line); }
.scopes code { color: var(--quiet); }
form { display: grid; gap: 1.25rem; }
.choices { display: grid; grid-template-columns: 1fr 1fr; gap: 0.75rem; }
.choices button { padding: 0.75rem; }
`

export const control = `${common}
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; padding: 0.5rem; background: var(--card); }
header, main, footer { max-width: 96rem; margin: 0 auto; padding: 1.25rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: baseline; padding-bottom: 0; }
nav ul { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; list-style: none; padding: 0; }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
main { display: grid; gap: 1.25rem; }
.news { flex: 1 1 12rem; min-width: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.board, .pair { display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); align-items: start; min-width: 0; }
@media (min-width: 52rem) { .board { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } }
@media (min-width: 76rem) { .board { grid-template-columns: minmax(0, 1fr) minmax(0, 2fr); } .pair { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); } .across { grid-column: 1 / -1; } }
.stack { display: grid; gap: 1.25rem; align-content: start; min-width: 0; }
.card { min-width: 0; }
main section { display: grid; gap: 1rem; align-content: start; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
.between { justify-content: space-between; }
.big { font-size: 1.375rem; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.small { padding: 0.1875rem 0.625rem; font-size: 0.875rem; }
.lines { padding: 0; list-style-position: inside; display: grid; gap: 0.375rem; }
ul.lines { list-style: none; }
.entries { list-style: none; padding: 0; display: grid; gap: 1rem; }
.entries > li { display: grid; gap: 0.75rem; min-width: 0; }
.entries > li + li { border-top: 1px solid var(--line); padding-top: 1rem; }
dl { display: grid; grid-template-columns: minmax(6rem, auto) minmax(0, 1fr); gap: 0.25rem 1rem; }
dt { color: var(--quiet); font-size: 0.875rem; padding-top: 0.0625rem; }
dd { min-width: 0; overflow-wrap: anywhere; }
dd ul { list-style: none; padding: 0; }
details summary { cursor: pointer; width: fit-content; border-radius: 4px; }
details.secret summary { list-style: none; }
details.secret summary::-webkit-details-marker { display: none; }
details.secret summary::after { content: "show"; margin-left: 0.5rem; color: var(--accent); font-size: 0.875rem; text-decoration: underline; }
details.secret[open] summary::after { content: "hide"; }
details > form, details > .fields { margin-top: 0.75rem; }
.fields { display: grid; gap: 0.75rem 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 11rem), 1fr)); align-items: end; }
.fields .wide { grid-column: 1 / -1; }
.fields .check { display: flex; gap: 0.5rem; align-items: center; min-height: 2.5rem; color: var(--text); }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; }
th { text-align: left; font-weight: 600; color: var(--quiet); }
th, td { padding: 0.375rem 0.75rem 0.375rem 0; vertical-align: top; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
.tokens td { vertical-align: middle; } .tokens td:last-child { text-align: right; } .tokens td:nth-child(2) { width: 30%; }
tbody tr:last-child td { border-bottom: 0; }
td { font-variant-numeric: tabular-nums; }
.good { color: var(--good); } .bad { color: var(--bad); }
.notice { position: fixed; z-index: 1; bottom: 1rem; left: 50%; transform: translateX(-50%); width: max-content; max-width: calc(100% - 2rem); padding: 0.75rem 1rem; overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--good); border-left-width: 5px; border-radius: 8px; box-shadow: 0 4px 16px rgb(0 0 0 / 25%); }
footer { padding-bottom: 5rem; }
.notice.problem { border-color: var(--bad); }
.asks p { margin: 0.75rem 0; }
.asks .button { padding: 0.5rem 0.875rem; border: 1px solid var(--edge); border-radius: 8px; list-style: none; }
.asks .button::-webkit-details-marker { display: none; }
.asks[open] form button { border-color: var(--bad); color: var(--bad); }
@media (max-width: 30rem) {
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dt { padding-top: 0.5rem; }
  .narrow-hides { display: none; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`
