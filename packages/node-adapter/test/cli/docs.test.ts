/**
 * Keeps the transcripts in `docs/cli.md` what the commands say, by running them in their order against a fake.
 * `npx vitest run packages/node-adapter/test/cli/docs.test.ts -u` writes them anew.
 */
import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as World from "../utils/CommandLineWorld.ts"

const file = "../../../../docs/cli.md"

// What a prompt is followed by, up to the end of its block.
const transcript = /```console\n\$ zapier-workflow-auth (.*)\n[^`]*```/g

// As a shell splits it.
const words = (command: string) =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "")

/** What is another one each time: where it runs, when, and what is drawn. */
const steady = (said: string, { directory, origin, redirectUri }: Effect.Success<typeof World.make>) =>
  said
    .replaceAll(origin, "http://127.0.0.1:9270")
    .replaceAll(encodeURIComponent(redirectUri), encodeURIComponent("http://127.0.0.1:9271/callback"))
    .replaceAll(redirectUri, "http://127.0.0.1:9271/callback")
    .replaceAll(directory, "/home/ada/.local/share/zapier-workflow-auth")
    .replace(/state=[\w-]+/g, "state=mF2d1xB0...")
    .replace(
      /"accessTokenExpiresAt":\d+,"secondsLeft":\d+/g,
      '"accessTokenExpiresAt":1795635600000,"secondsLeft":35999'
    )
    .replace(/\b9h \d\dm\b/g, "9h 59m")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)/g, "2026-11-25T09:00:00Z")

it.live("docs/cli.md shows what the commands say", () =>
  Effect.gen(function* () {
    const text = readFileSync(new URL(file, import.meta.url), "utf8")
    const commands = [...text.matchAll(transcript)].map(([, command = ""]) => command)
    expect(commands.length).toBe(25)
    const world = yield* World.make
    const said: Array<string> = []
    for (const command of commands) {
      const [name, ...flags] = words(command)
      // Somebody has to sit at the browser. No other is opened by a test.
      const isLogin = name === "login" && !flags.includes("--help")
      const { stderr, stdout } = yield* isLogin
        ? world.login(flags.filter((flag) => flag !== "--no-browser"))
        : world.run(words(command))
      said.push(steady(`${stderr}${stdout}`, world).trimEnd())
    }
    let index = 0
    const current = text.replace(
      transcript,
      (_, command: string) => `\`\`\`console\n$ zapier-workflow-auth ${command}\n${said[index++] ?? ""}\n\`\`\``
    )
    yield* Effect.promise(() => expect(current).toMatchFileSnapshot(file))
  })
)
