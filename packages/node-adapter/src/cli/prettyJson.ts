/**
 * Indents JSON as it comes, without parsing it: numbers keep every digit, a response of any size needs no memory, and text
 * that is no JSON after all stays readable.
 */

const indent = (depth: number) => `\n${"  ".repeat(Math.max(0, depth))}`

/** Takes the text in pieces, and gives each back with line breaks and indents. */
export const make = (): ((text: string) => string) => {
  let depth = 0
  let isString = false
  let isEscaped = false
  /** True after an opening bracket: the next character decides whether it is empty. */
  let isOpen = false
  let isWord = false
  let isBlank = false

  const inString = (character: string) => {
    if (isEscaped) isEscaped = false
    else if (character === "\\") isEscaped = true
    else if (character === '"') isString = false
    return character
  }

  const outside = (character: string): string => {
    if (/\s/.test(character)) {
      isBlank = true
      return ""
    }
    const wasWord = isWord
    isWord = !/[{}[\],:]/.test(character)
    // JSON has no blank between two words, other text has.
    if (isWord && wasWord && isBlank) {
      isBlank = false
      isString = character === '"'
      return ` ${character}`
    }
    isBlank = false
    const isClosing = character === "}" || character === "]"
    let before = ""
    if (isOpen && !isClosing) before = indent(++depth)
    else if (!isOpen && isClosing) before = indent(--depth)
    isOpen = character === "{" || character === "["
    isString = character === '"'
    if (character === ",") return `,${indent(depth)}`
    if (character === ":") return ": "
    return before + character
  }

  return (text) => {
    let pretty = ""
    for (const character of text) pretty += isString ? inString(character) : outside(character)
    return pretty
  }
}
