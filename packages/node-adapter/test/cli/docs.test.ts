/**
 * Keeps the transcripts in `docs/cli.md` up to date, by running its commands in their order against a fake.
 * `npx vitest run packages/node-adapter/test/cli/docs.test.ts -u` writes them anew.
 */
import { readFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as CommandLine from "../utils/CommandLine.ts"
import * as Transcripts from "../utils/Transcripts.ts"

const file = "../../../../docs/cli.md"

// A prompt and its output, up to the end of the block.
const transcript = /```console( fresh| terminal)?\n\$ zapier-workflow-auth ?(.*)\n[^`]*```/g

const kindOf = (info: string | undefined): Transcripts.Kind =>
  info === undefined ? "session" : info === " fresh" ? "fresh" : "terminal"

/** All commands, and the subcommands of those that have some, off the help. */
const commands = Effect.gen(function* () {
  const listed = Effect.fnUntraced(function* (...path: ReadonlyArray<string>) {
    const { stdout } = yield* CommandLine.run(["help", ...path])
    const [, list = ""] = /\nCOMMANDS\n([^]*?)\n\n/.exec(stdout) ?? []
    return [...list.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name = ""]) => [...path, name].join(" "))
  })
  const names = yield* listed()
  return [...names, ...(yield* Effect.forEach(names, (name) => listed(name))).flat()]
})

// A home of a fixed length has to be made in /tmp.
describe.skipIf(process.platform !== "linux")("docs/cli.md (only on Linux, which has /tmp)", () => {
  it.live("shows the output of the commands, each line in 80 columns, and every command", () =>
    Effect.gen(function* () {
      const text = readFileSync(new URL(file, import.meta.url), "utf8")
      const blocks = [...text.matchAll(transcript)].map(([, info, command = ""]) => ({ command, kind: kindOf(info) }))
      const { say } = yield* Transcripts.make
      const said: Array<string> = []
      for (const { command, kind } of blocks) {
        const output = yield* say(command, kind)
        expect(Transcripts.tooWide(`$ zapier-workflow-auth ${command}\n${output}`), command).toEqual([])
        expect(output, command).not.toMatch(/\/tmp\/|s3cret|this is a bug/)
        said.push(output)
      }
      for (const name of yield* commands) {
        if (name === "help") continue
        expect(blocks.map(({ command }) => command)).toContain(`help ${name}`)
        // Run in the session, as well as explained.
        if (name !== "rotate-key")
          expect(
            blocks.some(({ command }) => command.startsWith(name)),
            name
          ).toBe(true)
      }
      let index = 0
      const current = text.replace(
        transcript,
        (_, info: string | undefined, command: string) =>
          `\`\`\`console${info ?? ""}\n$ zapier-workflow-auth ${command}\n${said[index++] ?? ""}\n\`\`\``
      )
      yield* Effect.promise(() => expect(current).toMatchFileSnapshot(file))
    })
  )
})
