/** What TypeDoc is told of this workspace: how modules are imported, what services offer, and what has to be said. */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import {
  Application,
  Comment,
  CommentTag,
  type Context,
  Converter,
  type DeclarationReflection,
  MinimalSourceFile,
  type NormalizedPath,
  type ProjectReflection,
  ReferenceType,
  ReflectionKind,
  ReflectionType
} from "typedoc"

// -----------------------------------------------------------------------------
// What is shown
// -----------------------------------------------------------------------------

const root = fileURLToPath(new URL("..", import.meta.url))

const source = /^packages\/([\w-]+)\/src\/([\w/]+)$/

const firstComment = /^\/\*\*\n(.*?)\n \*\//s

// The first comment of a file is its module's. TypeDoc would want a tag in it.
const describe = (module: DeclarationReflection, { converter, project }: Context) => {
  const file = `${root}${module.name}.ts` as NormalizedPath
  const [, text = ""] = firstComment.exec(readFileSync(file, "utf8")) ?? []
  const [words = "", since] = text.replaceAll(/^ \* ?/gm, "").split(/^@since /m)
  const said = words.replaceAll(/^@example$/gm, "#### Example").trim()
  const { content } = converter.parseRawComment(new MinimalSourceFile(said, file), project.files)
  module.comment = new Comment(said === "" ? [] : content)
  if (since !== undefined) module.comment.blockTags.push(new CommentTag("@since", [{ kind: "text", text: since }]))
}

const services = new WeakSet<DeclarationReflection>()

// The members of a service are an argument of the class that it extends. Readers look for them in the service.
const membersOf = ({ extendedTypes = [] }: DeclarationReflection) => {
  const [base] = extendedTypes
  const shape = base instanceof ReferenceType && base.name === "Shape" ? base.typeArguments?.[1] : undefined
  return shape instanceof ReflectionType ? shape.declaration.children : undefined
}

const isPlumbing = (member: DeclarationReflection) =>
  member.kindOf(ReflectionKind.Constructor) || member.name.startsWith("~")

const showMembers = (type: DeclarationReflection, project: ProjectReflection) => {
  const members = membersOf(type)
  // The classes that Effect makes are types as long as a page.
  delete type.extendedTypes
  delete type.typeHierarchy
  for (const child of type.children ?? []) delete child.inheritedFrom
  for (const child of (type.children ?? []).filter((child) => members !== undefined || isPlumbing(child))) {
    project.removeReflection(child)
  }
  if (members === undefined) return
  services.add(type)
  type.children = members
  for (const member of members) member.parent = type
}

// -----------------------------------------------------------------------------
// What has to be said
// -----------------------------------------------------------------------------

const commentsOf = ({ comment, signatures = [], type }: DeclarationReflection): ReadonlyArray<Comment> =>
  [
    comment,
    ...signatures.map((signature) => signature.comment),
    ...(type instanceof ReflectionType ? commentsOf(type.declaration) : [])
  ].filter((comment) => comment !== undefined)

const words = (it: DeclarationReflection) =>
  commentsOf(it)
    .map(({ summary }) => Comment.combineDisplayParts(summary))
    .join("\n")
    .trim()

const isSilent = (it: DeclarationReflection) => words(it) === ""

// The type of a schema is what the schema says.
const isSchemasType = (it: DeclarationReflection, all: ReadonlyArray<DeclarationReflection>) =>
  it.kindOf(ReflectionKind.TypeAlias) && all.some((other) => other !== it && other.name === it.name && !isSilent(other))

// Members may be said in a list: "- `name`: ...".
const isListed = ({ name }: DeclarationReflection, owner: DeclarationReflection) =>
  words(owner)
    .split("\n")
    .some((line) => line.startsWith("- ") && line.includes(`\`${name}\``))

const needsMembers = (it: DeclarationReflection) => services.has(it) || it.name.endsWith("Options")

const problemsOf = (module: DeclarationReflection) => {
  // A module's re-exports are described where they are declared.
  const own = (module.children ?? []).filter((child) => !child.kindOf(ReflectionKind.Reference))
  const all = [module, ...own]
  const silent = all.filter((it) => isSilent(it) && !isSchemasType(it, all))
  const undated = all.filter((it) => !commentsOf(it).some((comment) => comment.getTag("@since") !== undefined))
  const members = all
    .filter(needsMembers)
    .flatMap((it) =>
      (it.children ?? [])
        .filter((member) => member.inheritedFrom === undefined && isSilent(member) && !isListed(member, it))
        .map(({ name }) => `${it.name}.${name}`)
    )
  return [
    ...[...silent.map(({ name }) => name), ...members].map((name) => `${name} does not say what it is for`),
    ...undated.map(({ name }) => `${name} does not say since when it is there`)
  ]
}

/** What TypeDoc calls. */
export const load = (app: Application) => {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, (context: Context) => {
    for (const module of context.project.children ?? []) {
      describe(module, context)
      module.name = module.name.replace(source, "@zapier-workflow-auth/$1/$2")
      for (const type of module.getChildrenByKind(ReflectionKind.Class)) showMembers(type, context.project)
    }
  })
  app.on(Application.EVENT_VALIDATE_PROJECT, (project: ProjectReflection) => {
    for (const module of project.children ?? []) {
      for (const problem of problemsOf(module)) app.logger.validationWarning(`${module.name}: ${problem}`)
    }
  })
}
