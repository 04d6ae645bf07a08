/** Messages for a call that was not understood, in the words of this program instead of Effect's. */
import type * as CliError from "effect/cli/CliError"
import { command, shown } from "./shown.ts"
import { oneOf } from "./wrap.ts"

// Effect lists choices as a type: "a" | "b".
const choices = (expected: string) =>
  /^(?:Expected:? )?"[^"]*"(?: \| "[^"]*")+$/.test(expected)
    ? oneOf([...expected.matchAll(/"([^"]*)"/g)].map(([, choice = ""]) => choice))
    : undefined

const wanted = (expected: string): string =>
  choices(expected) ??
  expected
    .replace(/^Expected:? /, "")
    .replace(/^a string representing (?:a finite number|an integer)$/, "a whole number")
    .replace(/^an integer$/, "a whole number")

const suggestion = (names: ReadonlyArray<string>) => (names.length === 0 ? "" : ` Did you mean ${oneOf(names)}?`)

/** The commands of this program that lead to an error, without its own name. */
const within = (path: ReadonlyArray<string> | undefined) => (path ?? []).slice(1).join(" ")

const messageOf = (error: CliError.NonShowHelpErrors, path: ReadonlyArray<string>): string => {
  switch (error._tag) {
    case "UnknownSubcommand": {
      const parent = within(error.parent ?? path)
      const of = parent === "" ? "" : ` of ${parent}`
      return `unknown command${of}: ${shown(error.subcommand)}.${suggestion(error.suggestions)}`
    }
    case "UnrecognizedOption":
      return `unknown flag${within(path) === "" ? "" : ` of ${within(path)}`}: ${shown(error.option)}.${suggestion(error.suggestions)}`
    case "MissingOption":
      return `--${error.option} is missing.`
    case "MissingArgument":
      return `<${error.argument}> is missing.`
    case "UnexpectedArgument":
      return `too many arguments: ${error.arguments.map(shown).join(", ")}. Quote an argument that contains spaces.`
    case "InvalidValue": {
      const times = /^(\d+) occurrences$/.exec(error.value)?.[1]
      if (times !== undefined) return `--${error.option} was given ${times} times. Give it once.`
      const name = error.kind === "flag" ? `--${error.option}` : `<${error.option}>`
      return error.value === "" && error.kind === "flag"
        ? `${name} needs a value: ${wanted(error.expected)}.`
        : `${name} cannot be ${shown(error.value)}. Give ${wanted(error.expected)}.`
    }
    default:
      return error.message
  }
}

/** The message for a call that was not understood, and the command that explains how it is used. */
export const explain = (error: CliError.NonShowHelpErrors, path: ReadonlyArray<string>) => ({
  _tag: error._tag,
  message: messageOf(error, path),
  run: command(["help", ...path.slice(1)].join(" "))
})
