/** The order of the pages, as docs/README.md lists them: a heading for each section, a list of its pages. */
import { readFileSync } from "node:fs"
import { join } from "node:path"

const folder = join(import.meta.dirname, "../docs")

export interface Page {
  readonly title: string
  /** The absolute path of its file. */
  readonly path: string
}

export interface Section {
  readonly title: string
  readonly pages: ReadonlyArray<Page>
}

const [, ...parts] = readFileSync(join(folder, "README.md"), "utf8").split(/^## /m)

export const sections: ReadonlyArray<Section> = parts.map((part) => {
  const [title = "", ...rest] = part.split("\n")
  const items = rest.join("\n").matchAll(/^- \[([^\]]+)\]\(([^)#]+\.md)\)/gm)
  return { title, pages: [...items].map(([, title = "", file = ""]) => ({ title, path: join(folder, file) })) }
})
