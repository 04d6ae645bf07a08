/**
 * The command line: which commands there are, and how each ends.
 *
 * What is asked for goes to stdout, everything else to stderr. A command ends with 0 when it did what it was asked to, 1 when
 * it did not, 2 when it was not understood, and 130 when it was stopped by a signal.
 */
import type { StoreError } from "@zapier-workflow-auth/core/store/VersionedStore"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Config from "effect/Config"
// oxlint-disable-next-line no-restricted-imports -- what Effect itself writes goes the same way
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Stdio from "effect/Stdio"
import { appToken } from "./appToken.ts"
import * as ConfigFile from "./configFile.ts"
import { doctor } from "./doctor.ts"
import { fake } from "./fake.ts"
import { init } from "./init.ts"
import { login } from "./login.ts"
import { logout } from "./logout.ts"
import * as Output from "./output.ts"
import type { Refused } from "./refused.ts"
import { request } from "./request.ts"
import { rotateKey } from "./rotateKey.ts"
import { scopes } from "./scopes.ts"
import { status } from "./status.ts"
import { token } from "./token.ts"

const root = Command.make("zapier-workflow-auth").pipe(
  Command.withDescription("Authentication with the Zapier Workflow API, for those who run it."),
  Command.withSubcommands([login, logout, status, token, appToken, request, scopes, doctor, rotateKey, init, fake]),
  Command.provide(ConfigFile.layer),
  Command.withGlobalFlags([ConfigFile.flag])
)

/** Errors in their own words, without all the help around them. */
const presenter = Effect.map(Stdio.Stdio, (stdio): CliOutput.Presenter => {
  const note = (line: string) => Effect.provideService(Output.note(line), Stdio.Stdio, stdio)
  return {
    present: (event) =>
      event._tag === "InvalidInvocation"
        ? Effect.gen(function* () {
            const formatter = CliOutput.defaultFormatter({ colors: false })
            for (const error of event.errors) yield* note(`error: ${formatter.formatCliError(error)}`)
            yield* note(`Run ${event.commandPath.join(" ")} --help to see how it is used.`)
          })
        : CliOutput.defaultPresenter.present(event)
  }
})

/** `--log-level` goes before it. What is no level is ignored: the variable may be meant for another program. */
const layerLogLevel = Layer.effect(
  References.MinimumLogLevel,
  Config.String("LOG_LEVEL").pipe(
    Effect.map((set) => LogLevel.values.find((level) => level.toLowerCase() === set.toLowerCase()) ?? "Info"),
    Effect.orElseSucceed(() => "Info" as const)
  )
)

const layerOutput = Layer.mergeAll(
  Layer.effect(CliOutput.Presenter, presenter),
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel] }),
  // Effect's own logger writes to stdout.
  Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]),
  layerLogLevel
)

// A defect is a bug. Its message may hold anything, also a secret; where it was thrown tells more to who mends it.
const unexpected = (defect: unknown): string => {
  const name = defect instanceof Error ? defect.name : typeof defect
  const at = defect instanceof Error ? (defect.stack ?? "").split("\n").find((line) => /^\s+at /.test(line)) : undefined
  return `this should not have happened (${name}${at === undefined ? "" : `,${at.replace(/^\s+/, " ")}`}). Please report it.`
}

type Failure = CliError.CliError | ZapierAuthError | StoreError | Refused | Output.ReaderGone

const exitCode = (cause: Cause.Cause<Failure>): Effect.Effect<number, never, Stdio.Stdio> => {
  const reason = cause.reasons.find(Cause.isFailReason)
  if (reason === undefined) {
    return Effect.as(Output.note(`error: ${unexpected(Cause.squash(cause))}`), 1)
  }
  const { error } = reason
  if (error._tag === "ReaderGone") return Effect.succeed(1)
  // Has been told already, or was asked for.
  if (error._tag === "ShowHelp") return Effect.succeed(error.errors.length > 0 ? 2 : 0)
  return Effect.as(Output.note(`error: ${error.message}`), 1)
}

/** Carries out a command, and gives the code to exit with. Interrupting it interrupts the command. */
export const run = (args: ReadonlyArray<string>, version: string): Effect.Effect<number, never, Command.Environment> =>
  Effect.gen(function* () {
    const { console, flush } = Output.consoleOver(yield* Console.Console)
    const command = Effect.provideService(Command.runWith(root, { version })(args), Console.Console, console)
    const exit = yield* Effect.exit(command)
    if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
    const code = Exit.isSuccess(exit) ? 0 : yield* exitCode(exit.cause)
    return yield* Effect.matchCauseEffect(flush, { onSuccess: () => Effect.succeed(code), onFailure: exitCode })
  }).pipe(Effect.provide(layerOutput))
