/**
 * Marks what a page shows with Effect and what it shows without, so that a reader can hide one of them.
 *
 * In Markdown a side is a section under the heading "With Effect" or "Without Effect"; or a line that is nothing but
 * `**With Effect**` or `**Without Effect**`, and all that follows it up to the end of the next block of code.
 */
import type MarkdownIt from "markdown-it"
import type StateCore from "markdown-it/lib/rules_core/state_core.mjs"
import type Token from "markdown-it/lib/token.mjs"

type Side = "with" | "without"

/** What stands at the top of a page: a heading, a paragraph, a list, … */
type Block = ReadonlyArray<Token>

const blocksOf = (tokens: ReadonlyArray<Token>): ReadonlyArray<Block> => {
  const blocks: Array<Array<Token>> = []
  let depth = 0
  for (const token of tokens) {
    if (depth === 0) blocks.push([])
    blocks.at(-1)?.push(token)
    depth += token.nesting
  }
  return blocks
}

const sideOf = (words: string | undefined): Side | undefined =>
  words === "With Effect" ? "with" : words === "Without Effect" ? "without" : undefined

const levelOf = ([first]: Block) => (first?.type === "heading_open" ? Number(first.tag.slice(1)) : undefined)

const isCode = ([first]: Block) => first?.type === "fence"

const headed = (block: Block) => (levelOf(block) === undefined ? undefined : sideOf(block[1]?.content))

const labelled = ([first, inline]: Block) =>
  first?.type === "paragraph_open" ? sideOf(/^\*\*(.+)\*\*$/.exec(inline?.content ?? "")?.[1]) : undefined

const sectionEnd = (blocks: ReadonlyArray<Block>, start: number) => {
  const level = levelOf(blocks[start] ?? []) ?? 0
  const next = blocks.findIndex((block, index) => index > start && (levelOf(block) ?? Infinity) <= level)
  return next === -1 ? blocks.length : next
}

const codeEnd = (blocks: ReadonlyArray<Block>, start: number) => {
  const code = blocks.findIndex((block, index) => index > start && isCode(block))
  const other = blocks.findIndex(
    (block, index) => index > start && (levelOf(block) !== undefined || labelled(block) !== undefined)
  )
  if (code === -1 || (other !== -1 && other < code)) {
    throw new Error(`no code follows ${blocks[start]?.[1]?.content}`)
  }
  return code + 1
}

/** Puts each side into an element of its own. */
export const mark = (parser: MarkdownIt): void => {
  parser.core.ruler.push("sides", (state: StateCore) => {
    const html = (content: string) => Object.assign(new state.Token("html_block", "", 0), { content })
    const marked = (blocks: ReadonlyArray<Block>): ReadonlyArray<Token> => {
      const tokens: Array<Token> = []
      for (let start = 0; start < blocks.length;) {
        const block = blocks[start] ?? []
        const byHeading = headed(block)
        const side = byHeading ?? labelled(block)
        const end = side === undefined ? start + 1 : (byHeading ? sectionEnd : codeEnd)(blocks, start)
        const inner = [...block, ...marked(blocks.slice(start + 1, end))]
        if (side === undefined) tokens.push(...inner)
        else tokens.push(html(`<div class="${side}-effect">\n`), ...inner, html("</div>\n"))
        start = end
      }
      return tokens
    }
    state.tokens = [...marked(blocksOf(state.tokens))]
  })
}
