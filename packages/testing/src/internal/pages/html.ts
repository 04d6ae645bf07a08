/** HTML as a tagged template. Values are escaped, unless they are HTML of this module. */

const TypeId: unique symbol = Symbol.for("@zapier-workflow-auth/testing/internal/pages/Html")

/** Trusted HTML. Data from outside cannot imitate it, because it has no symbols. */
export interface Html {
  readonly [TypeId]: string
}

/** A value for a template, between tags or in an attribute's double quotes. */
export type Content = Html | string | number | undefined | ReadonlyArray<Content>

const special = /[&<>"']/

const escape = (text: string): string =>
  special.test(text) ? text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`) : text

const write = (content: Content): string => {
  if (content === undefined) return ""
  if (typeof content === "string") return escape(content)
  if (typeof content === "number") return String(content)
  return TypeId in content ? content[TypeId] : content.map(write).join("")
}

export const html = (texts: TemplateStringsArray, ...contents: ReadonlyArray<Content>): Html => {
  let text = texts[0] ?? ""
  contents.forEach((content, index) => {
    text += write(content) + (texts[index + 1] ?? "")
  })
  return { [TypeId]: text }
}

/** Trusted HTML, or text for a `style` or `script` element. Never for data from outside. */
export const verbatim = (text: string): Html => ({ [TypeId]: text })

export const toText = (html: Html): string => html[TypeId]
