/**
 * `npm run api`: writes what the packages export, from their built types, to the folder `api`, so that a review sees each
 * change of it. `npm run api -- --check` writes nothing, and exits with 1 if the folder is out of date.
 */
import { createHash } from "node:crypto"
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { join, posix, sep } from "node:path"
import { isDeepStrictEqual } from "node:util"
// TypeScript 7 has no stable API.
import ts from "typescript-6"
import { entriesOf, type Exports, fileOf } from "./entries.ts"

const root = join(import.meta.dirname, "..")

const packages = ["core", "testing", "node-adapter"] as const

const printer = ts.createPrinter({ removeComments: true })

const linesOf = (text: string) => text.split("\n").length

// Inferred types of whole APIs repeat the schemas that other declarations show.
const tooLong = 300

const fingerprint = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 8)

/** Replaces the object types in a declaration by a fingerprint, which changes when they do. */
const outlined = (statement: ts.Statement, source: ts.SourceFile): ts.Statement => {
  const visit = (node: ts.Node): ts.Node =>
    ts.isTypeLiteralNode(node) && node.members.length > 0
      ? ts.factory.createTypeReferenceNode(
          `Shape_${fingerprint(printer.printNode(ts.EmitHint.Unspecified, node, source))}`
        )
      : ts.visitEachChild(node, visit, undefined)
  return ts.visitEachChild(statement, visit, undefined)
}

const nameOf = (statement: ts.Statement): string => {
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0]?.name.getText() ?? ""
  if (ts.isExportDeclaration(statement)) return statement.exportClause?.getText() ?? ""
  const { name } = statement as ts.Statement & { readonly name?: ts.Node }
  return name?.getText() ?? ""
}

// An inferred type names a module by its path, and everything in one line.
const readable = (text: string) =>
  text
    .replaceAll(/import\("(?:[^"]*\/)?(\w+)(?:\.ts)?"\)\./g, "$1.")
    .replaceAll(/^(?: {4})+/gm, (indent) => " ".repeat(indent.length / 2))

const printed = (statement: ts.Statement, source: ts.SourceFile) => {
  const print = (node: ts.Node) => printer.printNode(ts.EmitHint.Unspecified, node, source)
  const whole = print(statement)
  if (linesOf(whole) <= tooLong) return readable(whole)
  return readable(print(outlined(statement, source))).replaceAll(" | ", "\n  | ")
}

interface Declaration {
  readonly name: string
  readonly text: string
}

/** Reads the declarations in a file that is not public. Public files have a report of their own: `undefined`. */
type ReadInternal = (file: string) => string | undefined

/** What a statement exports from an internal module. */
const reexported = (statement: ts.Statement, file: string, read: ReadInternal): ReadonlyArray<Declaration> => {
  if (!ts.isExportDeclaration(statement) || statement.moduleSpecifier === undefined) return []
  const specifier = (statement.moduleSpecifier as ts.StringLiteral).text
  if (!specifier.startsWith(".")) return []
  const from = posix.join(posix.dirname(file), specifier.replace(/\.ts$/, ".d.ts"))
  const code = read(from)
  if (code === undefined) return []
  const { exportClause } = statement
  const all = declarations(code, from, read)
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return all
  const wanted = new Set(exportClause.elements.map(({ name, propertyName }) => (propertyName ?? name).text))
  return all.filter(({ name }) => wanted.has(name))
}

const declarations = (code: string, file: string, read: ReadInternal): ReadonlyArray<Declaration> => {
  const source = ts.createSourceFile(file, code, ts.ScriptTarget.Latest, true)
  return source.statements.flatMap((statement) =>
    ts.isImportDeclaration(statement)
      ? []
      : [{ name: nameOf(statement), text: printed(statement, source) }, ...reexported(statement, file, read)]
  )
}

/** The declarations of a file of types and those that it takes from internal files, by name, without comments and imports. */
export const declarationsOf = (code: string, file: string, read: ReadInternal): ReadonlyArray<string> =>
  declarations(code, file, read)
    .filter(({ text }) => text !== "export {};")
    .toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ text }) => text)

const reportOf = (name: string): string => {
  const folder = join(root, "packages", name)
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly publishConfig: { readonly exports: Exports }
  }
  const files = globSync("dist/**/*.d.ts", { cwd: folder }).map((file) => file.replaceAll(sep, "/"))
  const entries = entriesOf(manifest.publishConfig.exports, files)
  const readFile = (file: string) => readFileSync(join(folder, file), "utf8")
  const publicFiles = new Set(entries.map(fileOf))
  const read = (file: string) => (publicFiles.has(file) ? undefined : readFile(file))
  const modules = entries.map((entry) => {
    const texts = declarationsOf(readFile(fileOf(entry)), fileOf(entry), read)
    return `## ${entry}\n\n\`\`\`ts\n${texts.join("\n")}\n\`\`\`\n`
  })
  const intro = `What \`@zapier-workflow-auth/${name}\` exports. Written by \`npm run api\`.`
  return [`# ${name}\n\n${intro}\n`, ...modules].join("\n")
}

const readReport = (file: string) => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

/** The reports, by the path of their file. */
export const reports = (): Readonly<Record<string, string>> =>
  Object.fromEntries(packages.map((name) => [join(root, "api", `${name}.md`), reportOf(name)]))

if (import.meta.main) {
  const now = reports()
  if (!process.argv.includes("--check")) for (const [file, text] of Object.entries(now)) writeFileSync(file, text)
  else if (!isDeepStrictEqual(Object.fromEntries(Object.keys(now).map((file) => [file, readReport(file)])), now)) {
    process.stderr.write("The exports of a package have changed. Run `npm run api`, and review the changes in `api`.\n")
    process.exitCode = 1
  }
}
