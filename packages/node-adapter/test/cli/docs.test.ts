/** Keeps the transcripts in `docs/cli.md` what the commands say. `npx vitest run packages/node-adapter/test/cli/docs.test.ts -u` writes them anew. */
import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "../utils/CommandLine.ts"

const file = "../../../../docs/cli.md"

// What a prompt is followed by, up to the end of its block.
const transcript = /```console\n\$ zapier-workflow-auth (.*)\n[^`]*```/g

it.effect("docs/cli.md shows what the commands say", () =>
  Effect.gen(function* () {
    const text = readFileSync(new URL(file, import.meta.url), "utf8")
    const commands = [...text.matchAll(transcript)].map(([, command = ""]) => command)
    expect(commands.length).toBe(6)
    const said = new Map<string, string>()
    for (const command of commands) said.set(command, (yield* run(command.split(" "))).stdout.trimEnd())
    const current = text.replace(
      transcript,
      (_, command: string) => `\`\`\`console\n$ zapier-workflow-auth ${command}\n${said.get(command) ?? ""}\n\`\`\``
    )
    yield* Effect.promise(() => expect(current).toMatchFileSnapshot(file))
  })
)
