/** Turns a block's comments that begin with `=>` into assertions. */
import { parseAst } from "rolldown/parseAst"

interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && "start" in value && "end" in value

// Depth first; tells whether the node is inside a function.
const visit = (value: unknown, isInside: boolean, see: (node: Node, isInside: boolean) => void): void => {
  if (Array.isArray(value)) return value.forEach((one) => visit(one, isInside, see))
  if (!isNode(value)) return
  see(value, isInside)
  const isFunction = value.type.includes("Function")
  for (const member of Object.values(value)) visit(member, isInside || isFunction, see)
}

interface Said {
  readonly start: number
  readonly end: number
  readonly isAwaited: boolean
}

// A comment after a statement is about its value.
const saidOf = (node: Node, isInside: boolean): Said | undefined => {
  const value =
    node.type === "ExpressionStatement" && "expression" in node
      ? node.expression
      : node.type === "ReturnStatement" && "argument" in node
        ? node.argument
        : undefined
  return isNode(value) ? { start: value.start, end: value.end, isAwaited: !isInside } : undefined
}

const claim = /^(.*?)\/\/ => (.*)$/gm

/** The same block, which throws if a comment is wrong. */
export const asserted = (code: string): string => {
  const ends = new Map<number, Said>()
  visit(parseAst(code, { lang: "ts" }), false, (node, isInside) => {
    const said = saidOf(node, isInside)
    if (said !== undefined) ends.set(node.end, said)
  })
  const claims = [...code.matchAll(claim)].map(({ 1: before = "", 2: expected = "", index }) => {
    const end = code.slice(0, index + before.length).trimEnd().length
    const said = ends.get(end)
    if (said === undefined) throw new Error(`nothing is before the comment "=> ${expected}"`)
    return { said, expected }
  })
  const checked = claims.reduceRight((text, { expected, said: { end, isAwaited, start } }) => {
    const check = `${isAwaited ? "await " : ""}__check(${text.slice(start, end)}, () => (${expected}))`
    return text.slice(0, start) + check + text.slice(end)
  }, code)
  return `import { check as __check } from "../check.ts"\n${checked}\nvoid __check\n`
}
