/** The frame of a command with options of its own: it shows its help, or runs. */
import { say } from "./report.ts"

/** The exit code: 0 after the help, 2 after invalid arguments, for which `parse` returns `undefined`, else that of `main`. */
export const run = async <A extends object>(
  help: string,
  parse: (args: ReadonlyArray<string>) => A | "help" | undefined,
  main: (asked: A) => number | Promise<number>
): Promise<number> => {
  const asked = parse(process.argv.slice(2))
  if (asked !== "help" && asked !== undefined) return main(asked)
  say(help)
  return asked === "help" ? 0 : 2
}
