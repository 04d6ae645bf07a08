/** Help for people: every line fits 80 columns, and global flags are listed once, in the help of the program itself. */
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import type * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import type * as HelpDoc from "effect/cli/HelpDoc"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Table from "./table.ts"
import { wrap } from "./wrap.ts"

const indented = (text: string, indent: string) => `${indent}${wrap(text, { indent })}`

// Effect lists the choices of its own flags in the place of a name.
const valueOf = ({ name, type }: HelpDoc.FlagDoc): string => {
  if (type === "boolean") return ""
  if (!type.startsWith("<")) return ` ${type}`
  return name === "completions" ? " SHELL" : " LEVEL"
}

const flagRow = (flag: HelpDoc.FlagDoc): Table.Row => {
  const [alias] = flag.aliases
  const names = `${alias === undefined ? "    " : `${alias}, `}--${flag.name}${valueOf(flag)}`
  return { cells: [names, Option.getOrElse(flag.description, () => "")] }
}

const argumentRow = ({ description, name, required, variadic }: HelpDoc.ArgDoc): Table.Row => ({
  cells: [
    `${name}${variadic ? "..." : ""}`,
    `${Option.getOrElse(description, () => "")}${required ? "" : " (optional)"}`
  ]
})

const commandRow = ({ description, name, shortDescription }: HelpDoc.SubcommandDoc): Table.Row => ({
  cells: [name, shortDescription ?? description]
})

const exampleOf = ({ command, description }: HelpDoc.ExampleDoc) =>
  [...(description === undefined ? [] : [`# ${description}`]), ...command.split("\n")]
    .map((line) => `  ${line}`)
    .join("\n")

/** @param heading makes a heading of a title */
const format = (doc: HelpDoc.HelpDoc, heading: (title: string) => string): string => {
  const path = doc.commandPath ?? []
  const section = (title: string, text: string) => `${heading(title)}\n${text}`
  const table = (title: string, rows: ReadonlyArray<Table.Row>) =>
    rows.length === 0 ? [] : [section(title, Table.format(rows, 2))]
  const globalFlags = doc.globalFlags ?? []
  const isRoot = path.length < 2
  return [
    ...doc.description.split("\n\n").map((paragraph) => indented(paragraph.trim(), "")),
    section("USAGE", `  ${doc.usage.replace("<subcommand>", "<command>")}`),
    ...table(
      "COMMANDS",
      (doc.subcommands ?? []).flatMap(({ commands }) => commands.map(commandRow))
    ),
    ...table("ARGUMENTS", (doc.args ?? []).map(argumentRow)),
    ...table("FLAGS", doc.flags.map(flagRow)),
    ...(isRoot
      ? table("GLOBAL FLAGS", globalFlags.map(flagRow))
      : [
          section(
            "GLOBAL FLAGS",
            indented(
              `${globalFlags.map((flag) => `--${flag.name}`).join(", ")}. Run "${path[0]} help" to see what they do.`,
              "  "
            )
          )
        ]),
    ...((doc.examples ?? []).length === 0
      ? []
      : [section("EXAMPLES", (doc.examples ?? []).map(exampleOf).join("\n\n"))]),
    ...(isRoot ? [`Run "${path[0]} help COMMAND" for one command.`] : [])
  ].join("\n\n")
}

const bold = (text: string) => `\u001b[1m${text}\u001b[0m`

/** The formatter of help, with bold headings where a terminal shows colors. */
export const formatter = (inner: CliOutput.Formatter, canColor: boolean): CliOutput.Formatter => ({
  formatHelpDoc: (doc) => format(doc, canColor ? bold : (title) => title),
  formatCliError: (error) => inner.formatCliError(error),
  formatError: (error) => inner.formatError(error),
  formatErrors: (errors) => inner.formatErrors(errors),
  formatVersion: (name, version) => inner.formatVersion(name, version)
})

interface Named {
  readonly name: string
  readonly subcommands: ReadonlyArray<{ readonly commands: ReadonlyArray<Named> }>
}

/** The commands that a path of names leads through, up to one without subcommands, or to an unknown name. */
const walk = (root: Named, names: ReadonlyArray<string>) => {
  const found = [root]
  for (const name of names) {
    const commands = found.at(-1)?.subcommands.flatMap(({ commands }) => commands) ?? []
    if (commands.length === 0) break
    const next = commands.find((one) => one.name === name)
    if (next === undefined) return { found, unknown: name }
    found.push(next)
  }
  return { found, unknown: undefined }
}

const isHelpFlag = (flag: string) => flag === "--help" || flag === "-h"

/**
 * The arguments of a call for help: `help login` becomes `login --help`, and so does `help login now`. A call for help with an
 * unknown command becomes a call of that command, so that it fails and the nearest command is suggested.
 */
export const resolve = (root: Named, args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const isHelp = args[0] === "help"
  if (!isHelp && !args.some(isHelpFlag)) return args
  const given = args.slice(isHelp ? 1 : 0)
  const end = given.findIndex((name) => name.startsWith("-"))
  const names = end === -1 ? given : given.slice(0, end)
  const { found, unknown } = walk(root, names)
  const path = found.slice(1).map(({ name }) => name)
  if (unknown !== undefined) return [...path, unknown]
  return isHelp ? [...path, "--help", ...given.slice(names.length).filter((flag) => !isHelpFlag(flag))] : args
}

/** The command `help`, which lists itself. `resolve` has turned every call of it that can be understood into `--help`. */
export const help = (name: string, others: ReadonlyArray<Named>) => {
  const root = { name, subcommands: [{ commands: [...others, { name: "help", subcommands: [] }] }] }
  return Command.make(
    "help",
    {
      command: Argument.String("command").pipe(
        Argument.withDescription("A command, such as login or rotate-key begin. Default: the list of all commands"),
        Argument.variadic()
      )
    },
    Effect.fnUntraced(function* ({ command }) {
      const { found, unknown } = walk(root, command)
      const commandPath = found.map(({ name }) => name)
      const errors =
        unknown === undefined
          ? []
          : [new CliError.UnknownSubcommand({ subcommand: unknown, parent: commandPath, suggestions: [] })]
      return yield* new CliError.ShowHelp({ commandPath, errors })
    })
  ).pipe(
    Command.withDescription("Explains a command: its arguments, its flags and examples."),
    Command.withShortDescription("Explain a command"),
    Command.withExamples([
      { command: "zapier-workflow-auth help login" },
      { command: "zapier-workflow-auth help rotate-key begin" }
    ])
  )
}
