/**
 * `npm run api`: writes what the packages export, from their built types, to the folder `api`, so that a review sees each
 * change of it. `npm run api -- --check` writes nothing, and exits with 1 if the folder is out of date.
 */
import { createHash } from "node:crypto"
import { globSync, readFileSync, writeFileSync } from "node:fs"
import { join, sep } from "node:path"
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

const printed = (statement: ts.Statement, source: ts.SourceFile) => {
  const print = (node: ts.Node) => printer.printNode(ts.EmitHint.Unspecified, node, source)
  const whole = print(statement)
  const text = linesOf(whole) > tooLong ? print(outlined(statement, source)) : whole
  return text.replaceAll(/^(?: {4})+/gm, (indent) => " ".repeat(indent.length / 2))
}

/** The declarations of a file of types, by name, without comments and imports. */
export const declarationsOf = (code: string): ReadonlyArray<string> => {
  const source = ts.createSourceFile("module.d.ts", code, ts.ScriptTarget.Latest, true)
  return source.statements
    .filter((statement) => !ts.isImportDeclaration(statement))
    .map((statement) => ({ name: nameOf(statement), text: printed(statement, source) }))
    .filter(({ text }) => text !== "export {};")
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    .map(({ text }) => text)
}

const reportOf = (name: string): string => {
  const folder = join(root, "packages", name)
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly publishConfig: { readonly exports: Exports }
  }
  const files = globSync("dist/**/*.d.ts", { cwd: folder }).map((file) => file.replaceAll(sep, "/"))
  const modules = entriesOf(manifest.publishConfig.exports, files).map((entry) => {
    const declarations = declarationsOf(readFileSync(join(folder, fileOf(entry)), "utf8"))
    return `## ${entry}\n\n\`\`\`ts\n${declarations.join("\n")}\n\`\`\`\n`
  })
  const intro = `What \`@zapier-workflow-auth/${name}\` exports. Written by \`npm run api\`.`
  return [`# ${name}\n\n${intro}\n`, ...modules].join("\n")
}

const read = (file: string) => {
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
  else if (!isDeepStrictEqual(Object.fromEntries(Object.keys(now).map((file) => [file, read(file)])), now)) {
    process.stderr.write("The exports of a package have changed. Run `npm run api`, and review the changes in `api`.\n")
    process.exitCode = 1
  }
}
