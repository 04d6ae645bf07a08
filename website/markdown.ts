/** What the site makes of Markdown, beside what TypeDoc does. */
import type MarkdownIt from "markdown-it"
import type StateCore from "markdown-it/lib/rules_core/state_core.mjs"
import type Token from "markdown-it/lib/token.mjs"
import * as Sides from "./sides.ts"

// TypeDoc takes a heading's anchor from its texts, and would leave out what is code.
const readHeadings = (parser: MarkdownIt) =>
  parser.core.ruler.push("headings", ({ Token, tokens }: StateCore) => {
    for (const code of tokens.flatMap(({ children }) => children ?? []).filter(({ type }) => type === "code_inline")) {
      code.children = [Object.assign(new Token("text", "", 0), { content: code.content })]
    }
  })

// A wide table scrolls by itself, also by keyboard, and the page does not.
const wrapTables = ({ renderer }: MarkdownIt) => {
  renderer.rules["table_open"] = () => '<div class="wide" tabindex="0" role="group" aria-label="Table">\n<table>\n'
  renderer.rules["table_close"] = () => "</table>\n</div>\n"
}

// Drawn by a script of the page. Where none runs, the text remains.
const keepDiagrams = ({ renderer, utils }: MarkdownIt) => {
  const fence = renderer.rules["fence"]
  renderer.rules["fence"] = (tokens: Array<Token>, index, ...rest) => {
    const token = tokens[index]
    return token?.info === "mermaid"
      ? `<pre class="mermaid wide" tabindex="0" role="group" aria-label="Diagram">${utils.escapeHtml(token.content)}</pre>\n`
      : (fence?.(tokens, index, ...rest) ?? "")
  }
}

/** Extends TypeDoc's parser. */
export const extend = (parser: MarkdownIt): void => {
  readHeadings(parser)
  Sides.mark(parser)
  wrapTables(parser)
  keepDiagrams(parser)
}
