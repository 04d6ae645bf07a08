/** Proposed commands take the flags of the call that failed, so that they concern the same user, server and files. */
import { parseArgs } from "node:util"
import { name, typed } from "./shown.ts"

const text = { type: "string" } as const

const ofConnection = ["client-id", "client-secret-file", "data-directory", "key-file", "fake", "config"] as const

const ofLogin = ["subject", "scope", "redirect-uri", "paste"] as const

const options = {
  "client-id": text,
  "client-secret-file": text,
  "data-directory": text,
  "key-file": text,
  fake: text,
  config: text,
  subject: { ...text, short: "s" },
  scope: { ...text, multiple: true },
  "redirect-uri": text,
  paste: { type: "boolean" }
} as const satisfies { readonly [F in (typeof ofConnection)[number] | (typeof ofLogin)[number]]: object }

/** The flags that a proposed command has in common with the call. `--scope` means another thing outside of `login`. */
const common = (proposed: string, called: string | undefined) => {
  if (proposed === "doctor") return ofConnection
  if (proposed !== "login") return []
  return called === "login" ? [...ofLogin, ...ofConnection] : (["subject", ...ofConnection] as const)
}

/**
 * Adds the flags of a call to a command that is proposed after it.
 *
 * @param run the command as it is typed; `login` and `doctor` are changed, and keep the flags that they have
 */
export const withFlagsOf = (args: ReadonlyArray<string>, run: string): string => {
  const [program, proposed = ""] = run.split(" ")
  if (program !== name) return run
  const { positionals, values } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true })
  const added = common(proposed, positionals[0]).flatMap((flag) => {
    if (new RegExp(`--${flag}(?: |$)`).test(run)) return []
    return [values[flag] ?? []]
      .flat()
      .map((value) => (value === true ? `--${flag}` : `--${flag} ${typed(String(value))}`))
  })
  return [run, ...added].join(" ")
}
