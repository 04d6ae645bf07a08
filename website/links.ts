/** Checks the links of the site that was built: each leads to a file, and to a place that is there. Ends with 1 if one does not. */
import { existsSync, globSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const folder = join(import.meta.dirname, process.argv[2] ?? "out")

const entities: { readonly [name: string]: string } = { amp: "&", quot: '"', lt: "<", gt: ">", "#39": "'" }

const unescape = (text: string) => text.replaceAll(/&([\w#]+);/g, (entity, name: string) => entities[name] ?? entity)

interface Page {
  readonly links: ReadonlyArray<string>
  readonly anchors: ReadonlySet<string>
}

const attributes = (html: string, names: string) =>
  [...html.matchAll(new RegExp(`<[a-z][^<>]*?\\s(?:${names})="([^"]*)"`, "g"))].map(([, value = ""]) => unescape(value))

const read = (file: string): Page => {
  const html = readFileSync(file, "utf8").replaceAll(/<script>.*?<\/script>/gs, "")
  return { links: attributes(html, "href|src"), anchors: new Set(attributes(html, "id")) }
}

const pages: ReadonlyMap<string, Page> = new Map(
  globSync("**/*.html", { cwd: folder }).map((name) => [join(folder, name), read(join(folder, name))])
)

const isOutside = (link: string) => /^(?!file:)[a-z]+:/i.test(link)

const isBroken = (file: string, link: string) => {
  const url = new URL(link, pathToFileURL(file))
  const anchor = decodeURIComponent(url.hash.slice(1))
  url.hash = ""
  url.search = ""
  const target = fileURLToPath(url)
  if (relative(folder, target).startsWith("..") || !existsSync(target) || target.endsWith("/")) return true
  // Icons are parts of a picture, and the top of a page is always there.
  return (
    anchor !== "" && target.endsWith(".html") && anchor !== "top" && pages.get(target)?.anchors.has(anchor) !== true
  )
}

const broken: ReadonlyArray<string> = [...pages].flatMap(([file, { links }]) =>
  [...new Set(links)]
    .filter((link: string) => !isOutside(link) && isBroken(file, link))
    .map((link: string) => `${relative(folder, file)}: ${link}`)
)

const count = [...pages.values()].reduce<number>((sum, { links }) => sum + links.length, 0)
for (const line of broken) process.stderr.write(`broken link in ${line}\n`)
process.stdout.write(`${pages.size} pages, ${count} links, ${broken.length} broken\n`)
if (pages.size === 0 || broken.length > 0) process.exitCode = 1
