/** Draws what a program printed on a terminal as an SVG. */
import { stripVTControlCharacters } from "node:util"

const colours: { readonly [code: string]: string } = {
  "2": "#8b949e",
  "31": "#ff7b72",
  "32": "#7ee787",
  "33": "#e3b341",
  "34": "#79c0ff",
  "35": "#d2a8ff",
  "36": "#56d4dd"
}

const escapeXml = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(" ", "\u00A0")

// Node's `styleText` begins each piece with one code and ends it with one; pieces may be inside of others.
const spans = (line: string): string => {
  const open: Array<string> = []
  let drawn = ""
  for (const piece of line.split("\u001B[")) {
    const [, code, text = ""] = /^(?:(\d+)m)?(.*)$/.exec(piece) ?? []
    if (code === "22" || code === "39") open.pop()
    else if (code !== undefined) open.push(code)
    if (text === "") continue
    const colour = open.map((code) => colours[code]).findLast((colour) => colour !== undefined)
    const style = `${colour === undefined ? "" : ` fill="${colour}"`}${open.includes("1") ? ' font-weight="bold"' : ""}`
    drawn += style === "" ? escapeXml(text) : `<tspan${style}>${escapeXml(text)}</tspan>`
  }
  return drawn
}

const height = 19

const width = 8.43

/** The lines of a program's output in colour, under the command that was typed. */
export const draw = (command: string, output: ReadonlyArray<string>): string => {
  const lines = [`\u001B[2m$\u001B[22m \u001B[1m${command}\u001B[22m`, ...output]
  const columns = Math.max(...lines.map((line) => stripVTControlCharacters(line).length))
  const size = { width: Math.ceil(columns * width) + 40, height: lines.length * height + 60 }
  const texts = lines.map((line, index) =>
    line === "" ? "" : `  <text x="20" y="${54 + index * height}">${spans(line)}</text>\n`
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" width="${size.width}" height="${size.height}" role="img" aria-label="A terminal">
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
<circle cx="22" cy="20" r="6" fill="#ff5f57"/>
<circle cx="42" cy="20" r="6" fill="#febc2e"/>
<circle cx="62" cy="20" r="6" fill="#28c840"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#e6edf3">
${texts.join("")}</g>
</svg>
`
}
