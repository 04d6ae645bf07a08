/** `init`: writes the routes and variables of an app, and serves a fake Zapier for it until it is stopped. */
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
import { oneOf } from "../wrap.ts"
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
  ).pipe(
    Effect.mapError(() => new Refused({ why: "NothingEntered", problem: "nothing was chosen. Nothing was done." }))
  )

/** The value of a flag, else the choice at the terminal. */
const chosen = Effect.fnUntraced(function* <Name extends string>(
  flag: string,
  given: Option.Option<Name>,
  question: string,
  titles: { readonly [name in Name]: string }
) {
  if (Option.isSome(given)) return given.value
  const { stdinIsTerminal, stdoutIsTerminal } = yield* Stdio.Stdio
  if ((yield* stdinIsTerminal) && (yield* stdoutIsTerminal)) return yield* ask(question, titles)
  return yield* new Refused({
    why: "NothingEntered",
    problem: `there is no terminal to ask at. Give --yes, or --${flag}: ${oneOf(Object.keys(titles))}.`
  })
})

const decodePackage = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ dependencies: Schema.Record(Schema.String, Schema.Unknown) }))
)

/** The framework in the dependencies of package.json; Node's own http if there is none. */
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
    framework: yield* chosen("framework", framework, "Which framework does the app use?", frameworks),
    store: yield* chosen("store", store, "Which database does it use in production?", stores)
  }
})

// The ways in which .gitignore names it.
const isIgnored = (text: string) => text.split(/\r?\n/).some((line) => /^\/?(?:\.env|\.env\*|\*\.env)\s*$/.test(line))

/** Adds .env to an existing .gitignore without it. */
const ignoreEnvironment = Effect.fnUntraced(function* (fs: FileSystem.FileSystem, path: string) {
  const text = yield* Effect.option(fs.readFileString(path))
  if (Option.isNone(text) || isIgnored(text.value)) return
  const line = text.value === "" || text.value.endsWith("\n") ? ".env\n" : "\n.env\n"
  yield* fs.writeFileString(path, line, { flag: "a" }).pipe(
    Effect.andThen(Output.note(`Added .env to ${shown(path)}.`)),
    Effect.mapError(
      () => new Refused({ why: "CannotWrite", problem: `cannot write ${shown(path)}. Add .env to it yourself.` })
    )
  )
})

const notWritten = (path: string) => (error: PlatformError) =>
  new Refused({
    why: "CannotWrite",
    problem:
      error.reason._tag === "AlreadyExists"
        ? `${shown(path)} exists already, and was left as it is. Move it away, and run this again.`
        : `cannot write ${shown(path)} (${error.reason._tag}). Check the folder and its permissions.`
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

  /** Writes a file. One that exists, or appears meanwhile, stays, and the new one is put beside it. */
  const write = Effect.fnUntraced(function* (path: string, text: string, mode: number) {
    const writeTo = (place: string) => fs.writeFileString(place, text, { flag: "wx", mode })
    const beside = `${path}.new`
    const writeBeside = Effect.gen(function* () {
      yield* Effect.mapError(writeTo(beside), notWritten(beside))
      yield* Output.note(`${shown(path)} already exists, and was not changed. The new one is ${shown(beside)}.`)
      return beside
    })
    yield* Effect.mapError(fs.makeDirectory(paths.dirname(path), { recursive: true }), notWritten(path))
    return yield* Effect.as(writeTo(path), path).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => writeBeside),
      Effect.catchTag("PlatformError", (error) => notWritten(path)(error))
    )
  })

  const begun = Effect.fnUntraced(function* ({ app, control, origin, playground }: Serving) {
    // Only for its owner: it holds a secret, later a real one.
    const variables = yield* write(places.variables, Files.environmentOf({ ...app, origin }, store), 0o600)
    const routes = yield* write(places.routes, Files.routesOf(framework, isTyped), 0o666)
    yield* ignoreEnvironment(fs, paths.join(input.directory, ".gitignore"))
    // One flag a line, so that it fits the terminal.
    const again = Files.fakeCommand(app.redirectUris).replaceAll(" --", " \\\n    --")
    const start =
      framework === "next"
        ? "Start the app. Next reads .env by itself."
        : "Start the app with the variables:\n\n  node --env-file=.env ...\n"
    const connect = `http://localhost:${input.appPort}/zapier/connect`
    yield* Output.result(
      { routes, variables, connect, origin, playground: `${playground}/`, control },
      `Wrote ${shown(routes)} and ${shown(variables)}.

Add the routes to the app, as ${shown(paths.basename(routes))} shows. ${start}
Then open:

  ${connect}

A fake Zapier runs at ${origin} until you press Ctrl-C. To start it again:

  ${again}

  sample app  ${playground}/
  control     ${control}`
    )
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
