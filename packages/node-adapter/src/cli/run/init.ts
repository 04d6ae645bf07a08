/** `init`: writes an app's file of routes and its variables, and serves the fake that they name until it is stopped. */
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import { frameworks, type Framework } from "../init.ts"
import * as Output from "../output.ts"
import { Refused } from "../refused.ts"
import { shown } from "../shown.ts"
import * as Files from "./initFiles.ts"
import { openBrowser } from "./openBrowser.ts"
import { type Serving, serveFakeAnd } from "./serveFake.ts"

export interface Input {
  readonly framework: Option.Option<Framework>
  readonly directory: string
  readonly appPort: number
  readonly browser: boolean
  readonly port: number
  readonly playgroundPort: Option.Option<number>
}

const ask = Prompt.run(
  Prompt.Select<Framework>({
    message: "What is the app made of?",
    choices: Object.entries(frameworks).map(([value, title]) => ({ title, value: value as Framework }))
  })
).pipe(Effect.mapError(() => new Refused({ problem: "nothing was chosen, so nothing was done" })))

const frameworkOf = Effect.fnUntraced(function* ({ framework }: Input) {
  if (Option.isSome(framework)) return framework.value
  const { stdinIsTerminal, stdoutIsTerminal } = yield* Stdio.Stdio
  if ((yield* stdinIsTerminal) && (yield* stdoutIsTerminal)) return yield* ask
  return yield* new Refused({ problem: `give --framework: ${Object.keys(frameworks).join(", ")}` })
})

const thereAlready = (path: string, more = "") =>
  new Refused({ problem: `${shown(path)} is there already. It was left as it is${more}` })

const notWritten = (path: string) => (error: PlatformError) =>
  error.reason._tag === "AlreadyExists"
    ? thereAlready(path)
    : new Refused({ problem: `cannot write ${shown(path)} (${error.reason._tag})` })

export const init = Effect.fnUntraced(function* (input: Input) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const framework = yield* frameworkOf(input)
  const isThere = (path: string) => Effect.orElseSucceed(fs.exists(path), () => false)
  const isTyped = yield* isThere(paths.join(input.directory, "tsconfig.json"))
  const routes = paths.join(input.directory, ...Files.placeOf(framework, isTyped))
  const variables = paths.join(input.directory, ".env")
  for (const path of [variables, routes])
    if (yield* isThere(path)) return yield* thereAlready(path, ", and nothing else was written")

  const write = Effect.fnUntraced(function* (path: string, text: string, mode: number) {
    yield* fs.makeDirectory(paths.dirname(path), { recursive: true })
    // Never over a file that somebody else has made meanwhile.
    yield* fs.writeFileString(path, text, { flag: "wx", mode })
  })

  const begun = Effect.fnUntraced(function* ({ app, control, origin, playground }: Serving) {
    // It has a secret, and a real one later.
    yield* Effect.mapError(write(variables, Files.environmentOf({ ...app, origin }), 0o600), notWritten(variables))
    yield* Effect.mapError(write(routes, Files.routesOf(framework, isTyped), 0o666), notWritten(routes))
    const again = Files.fakeCommand(app.redirectUris)
    const load = framework === "next" ? "Next reads .env by itself." : "Start the app with: node --env-file=.env"
    yield* Output.print(`Wrote ${shown(routes)} and ${shown(variables)}.

Take the routes into the app, as ${shown(paths.basename(routes))} says, and start it. ${load}
Then open http://localhost:${input.appPort}/zapier/connect

A fake Zapier is at ${origin} until you stop it (Ctrl-C). To start it again:

  ${again}

  sample app  ${playground}/
  control     ${control}`)
    if (input.browser) yield* openBrowser(`${playground}/`)
  })

  const fake = {
    port: input.port,
    playgroundPort: input.playgroundPort,
    seed: "zapier",
    clientId: Option.none(),
    redirectUris: [`http://localhost:${input.appPort}/zapier/callback`]
  }
  return yield* serveFakeAnd(fake, begun)
})
