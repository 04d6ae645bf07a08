/** `init`: writes an app's file of routes and its variables, and serves the fake that they name until it is stopped. */
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import { type Framework, frameworks, type Store, stores } from "../init.ts"
import * as Output from "../output.ts"
import { Refused } from "../refused.ts"
import { shown } from "../shown.ts"
import * as Files from "./initFiles.ts"
import { openBrowser } from "./openBrowser.ts"
import { type Serving, serveFakeAnd } from "./serveFake.ts"

export interface Input {
  readonly framework: Option.Option<Framework>
  readonly store: Option.Option<Store>
  readonly yes: boolean
  readonly directory: string
  readonly appPort: number
  readonly browser: boolean
  readonly port: number
  readonly playgroundPort: Option.Option<number>
}

const ask = <Name extends string>(message: string, titles: { readonly [name in Name]: string }) =>
  Prompt.run(
    Prompt.Select<Name>({
      message,
      choices: Object.entries<string>(titles).map(([value, title]) => ({ title, value: value as Name }))
    })
  ).pipe(Effect.mapError(() => new Refused({ problem: "nothing was chosen, so nothing was done" })))

/** What a flag says, else who sits at the terminal. */
const chosen = Effect.fnUntraced(function* <Name extends string>(
  flag: string,
  given: Option.Option<Name>,
  question: string,
  titles: { readonly [name in Name]: string }
) {
  if (Option.isSome(given)) return given.value
  const { stdinIsTerminal, stdoutIsTerminal } = yield* Stdio.Stdio
  if ((yield* stdinIsTerminal) && (yield* stdoutIsTerminal)) return yield* ask(question, titles)
  return yield* new Refused({ problem: `give --yes, or --${flag}: ${Object.keys(titles).join(", ")}` })
})

const decodePackage = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ dependencies: Schema.Record(Schema.String, Schema.Unknown) }))
)

/** The framework that an app depends on, by its package.json; Node's own http if it says nothing. */
const frameworkIn = Effect.fnUntraced(function* (directory: string) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const text = yield* Effect.orElseSucceed(fs.readFileString(paths.join(directory, "package.json")), () => "")
  const { dependencies } = Option.getOrElse(decodePackage(text), () => ({ dependencies: {} }))
  const found = (["next", "fastify", "hono", "express"] as const).find((name) => Object.hasOwn(dependencies, name))
  return found ?? "node"
})

const answers = Effect.fnUntraced(function* ({ directory, framework, store, yes }: Input) {
  if (yes) {
    return {
      framework: Option.isSome(framework) ? framework.value : yield* frameworkIn(directory),
      store: Option.getOrElse(store, (): Store => "sqlite")
    }
  }
  return {
    framework: yield* chosen("framework", framework, "What is the app made of?", frameworks),
    store: yield* chosen("store", store, "Where are grants kept in production?", stores)
  }
})

// As .gitignore may say it.
const isIgnored = (text: string) => text.split(/\r?\n/).some((line) => /^\/?(?:\.env|\.env\*|\*\.env)\s*$/.test(line))

/** Adds .env to a .gitignore that is there and does not have it, and says so. */
const ignoreEnvironment = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, path: string) {
  const text = yield* Effect.option(fs.readFileString(path))
  if (Option.isNone(text) || isIgnored(text.value)) return
  const line = text.value === "" || text.value.endsWith("\n") ? ".env\n" : "\n.env\n"
  yield* fs.writeFileString(path, line, { flag: "a" }).pipe(
    Effect.andThen(Output.print(`Added .env to ${shown(path)}.`)),
    Effect.mapError(() => new Refused({ problem: `cannot write ${shown(path)}. Add .env to it` }))
  )
})

const notWritten = (path: string) => (error: PlatformError) =>
  new Refused({
    problem:
      error.reason._tag === "AlreadyExists"
        ? `${shown(path)} is there already. It was left as it is; move it away, and run it again`
        : `cannot write ${shown(path)} (${error.reason._tag})`
  })

export const init = Effect.fnUntraced(function* (input: Input) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const { framework, store } = yield* answers(input)
  const isThere = (path: string) => Effect.orElseSucceed(fs.exists(path), () => false)
  const isTyped = yield* isThere(paths.join(input.directory, "tsconfig.json"))
  const places = {
    routes: paths.join(input.directory, ...Files.placeOf(framework, isTyped)),
    variables: paths.join(input.directory, ".env")
  }

  /** Never over a file that is there, or that somebody else makes meanwhile: that one is left, and this one put beside. */
  const write = Effect.fnUntraced(function* (path: string, text: string, mode: number) {
    const writeTo = (place: string) => fs.writeFileString(place, text, { flag: "wx", mode })
    const beside = `${path}.new`
    const writeBeside = Effect.gen(function* () {
      yield* Effect.mapError(writeTo(beside), notWritten(beside))
      yield* Output.print(
        `${shown(path)} is there already. It was left as it is; take what you need from ${shown(beside)}.`
      )
      return beside
    })
    yield* Effect.mapError(fs.makeDirectory(paths.dirname(path), { recursive: true }), notWritten(path))
    return yield* Effect.as(writeTo(path), path).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => writeBeside),
      Effect.catchTag("PlatformError", (error) => notWritten(path)(error))
    )
  })

  const begun = Effect.fnUntraced(function* ({ app, control, origin, playground }: Serving) {
    // It has a secret, and a real one later.
    const variables = yield* write(places.variables, Files.environmentOf({ ...app, origin }, store), 0o600)
    const routes = yield* write(places.routes, Files.routesOf(framework, isTyped), 0o666)
    yield* ignoreEnvironment(fs, paths.join(input.directory, ".gitignore"))
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
