/** Makes pages of the site from the Markdown of the documentation: their order, their names, and where their links lead. */
import { copyFileSync } from "node:fs"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import {
  Application,
  type Context,
  Converter,
  DefaultTheme,
  type DocumentReflection,
  JSX,
  KindRouter,
  type NavigationElement,
  type NormalizedPath,
  PageEvent,
  type ProjectReflection,
  type Reflection,
  ReflectionKind,
  RendererEvent
} from "typedoc"
import * as Contents from "./contents.ts"
import * as Markdown from "./markdown.ts"

const root = fileURLToPath(new URL("..", import.meta.url))

const fileOf = (document: Reflection) => document.project.files.getReflectionPath(document) ?? ""

class Router extends KindRouter {
  override getIdealBaseName(reflection: Reflection) {
    if (!reflection.isDocument()) return super.getIdealBaseName(reflection)
    const [, name = ""] = /([\w-]+?)(?:\/README)?\.md$/.exec(fileOf(reflection)) ?? []
    return `docs/${name.toLowerCase()}`
  }
}

class Theme extends DefaultTheme {
  override buildNavigation(project: ProjectReflection) {
    const documents = new Map(project.documents?.map((document) => [fileOf(document), document]))
    const modules = super.buildNavigation(project).filter(({ kind }) => kind !== ReflectionKind.Document)
    const sections = Contents.sections.map(({ pages, title }): NavigationElement => ({
      text: title,
      children: pages.flatMap(({ path, title }) => {
        const document = documents.get(path as NormalizedPath)
        if (document === undefined) return []
        return [{ text: title, kind: ReflectionKind.Document, path: this.router.getFullUrl(document) }]
      })
    }))
    return [...sections, { text: "Modules", children: modules }]
  }
}

/** Names a document as the contents do. */
const name = (document: DocumentReflection, app: Application) => {
  const pages = Contents.sections.flatMap(({ pages }) => pages)
  const page = pages.find(({ path }) => path === fileOf(document))
  if (page === undefined) app.logger.warn(`docs/README.md does not list ${document.name}.md`)
  else document.name = page.title
}

// Browsers show a file of text, and download what they take for a program or a video, as `.ts`.
const showSources = ({ files }: ProjectReflection) => {
  const name = files.getName.bind(files)
  const all = files.getNameToAbsoluteMap.bind(files)
  const sources = new Map<NormalizedPath, NormalizedPath>()
  files.getName = (id) => {
    const path = files.resolvePath(id)
    if (path === undefined || !/\.(?:\w*ts|\w*js|\w*json\w*|md|sh|ya?ml)$/.test(path)) return name(id)
    const source = `${relative(root, path)}.txt` as NormalizedPath
    sources.set(source, path as NormalizedPath)
    return source
  }
  files.getNameToAbsoluteMap = () => new Map([...all(), ...sources])
}

const finish = (html: string, isDocument: boolean) =>
  (isDocument ? html.replace(/<ul class="tsd-breadcrumb".*?<\/ul>/s, "") : html)
    // A folder has no start page where no server says so.
    .replaceAll(/href="((?:\.\.?\/)+)"/g, 'href="$1index.html"')
    // A wide block scrolls, also by keyboard.
    .replaceAll("<pre><code", '<pre tabindex="0"><code')

// Runs in the head of each page: before the first paint, so that nothing moves.
const readChoices = `document.documentElement.dataset.effect = localStorage.getItem("effect") || "both"
for (const title of ${JSON.stringify(Contents.sections.map(({ title }) => title))}) {
  const key = "tsd-accordion-" + title
  if (localStorage.getItem(key) === null) localStorage.setItem(key, "true")
}`

/** Loaded by TypeDoc. */
export const load = (app: Application) => {
  app.renderer.defineRouter("documentation", Router)
  app.renderer.defineTheme("documentation", Theme)
  app.on(Application.EVENT_BOOTSTRAP_END, ({ options }) => {
    options.setValue("router", "documentation")
    options.setValue("theme", "documentation")
    options.setValue("markdownItLoader", Markdown.extend)
  })
  app.converter.on(Converter.EVENT_BEGIN, ({ project }: Context) => {
    for (const page of ["README.md", "docs/README.md"]) {
      project.files.registerReflectionPath(`${root}${page}` as NormalizedPath, project)
    }
    showSources(project)
  })
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }: Context) => {
    for (const document of project.documents ?? []) name(document, app)
  })
  app.renderer.hooks.on("head.end", () =>
    JSX.createElement("script", null, JSX.createElement(JSX.Raw, { html: readChoices }))
  )
  app.renderer.on(PageEvent.END, (page: PageEvent) => {
    page.contents = finish(page.contents ?? "", page.isReflectionEvent() && page.model.isDocument())
  })
  app.renderer.on(RendererEvent.END, ({ outputDirectory }: RendererEvent) => {
    copyFileSync(
      fileURLToPath(import.meta.resolve("mermaid/dist/mermaid.min.js")),
      join(outputDirectory, "assets/mermaid.js")
    )
  })
}
