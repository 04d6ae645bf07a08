/**
 * The command line: its commands, and its exit codes.
 *
 * Results go to stdout, everything else to stderr. The exit code is 0 for success, 1 for a failure, 2 for a call that was
 * not understood, and 130 after SIGINT or SIGTERM.
 */
import type { StoreError } from "@zapier-workflow-auth/core/store/VersionedStore"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Config from "effect/Config"
// oxlint-disable-next-line no-restricted-imports -- to redirect the output of Effect itself
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import type * as Stdio from "effect/Stdio"
import { appToken } from "./appToken.ts"
import * as ConfigFile from "./configFile.ts"
import { doctor } from "./doctor.ts"
import { fake } from "./fake.ts"
import * as Failure from "./failure.ts"
import { formatter, help, resolve } from "./help.ts"
import { init } from "./init.ts"
import { login } from "./login.ts"
import { logout } from "./logout.ts"
import * as Output from "./output.ts"
import type { Refused } from "./refused.ts"
import { request } from "./request.ts"
import { rotateKey } from "./rotateKey.ts"
import { scopes } from "./scopes.ts"
import { name } from "./shown.ts"
import { status } from "./status.ts"
import { token } from "./token.ts"
import * as Usage from "./usage.ts"

const jsonFlag = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withDescription("Print results as JSON, and errors as JSON on stderr"),
    Flag.withDefault(false)
  )
})

// Effect knows the flag only of a call that it understands. Errors about any other are JSON, too.
const isJson = (args: ReadonlyArray<string>) => {
  const end = args.indexOf("--")
  return (end === -1 ? args : args.slice(0, end)).some((arg) => /^--json(=(true|1|y|yes|on))?$/.test(arg))
}

const commands = [login, logout, status, token, appToken, request, scopes, doctor, rotateKey, init, fake] as const

const root = Command.make(name).pipe(
  Command.withDescription(
    `Connects users to Zapier, and calls the Zapier Workflow API for them, as your app, or with its client id.

Start with "zapier-workflow-auth fake", which needs no credentials, or "zapier-workflow-auth login".`
  ),
  Command.withSubcommands([...commands, help(name, commands)]),
  Command.provide(ConfigFile.layer),
  Command.withGlobalFlags([jsonFlag, ConfigFile.flag])
)

const report = (failure: Failure.Failure) =>
  Effect.flatMap(Output.Json, (json) =>
    json ? Output.printError(JSON.stringify(failure)) : Output.note(Failure.format(failure))
  )

/** Shows errors without the whole help. */
const presenter = Effect.map(Effect.context<Stdio.Stdio>(), (context): CliOutput.Presenter => ({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Effect.provideContext(
          Effect.forEach(event.errors.slice(0, 1), (error) => report(Usage.explain(error, event.commandPath)), {
            discard: true
          }),
          context
        )
      : CliOutput.defaultPresenter.present(event)
}))

/** The default of `--log-level`. An unknown level is ignored: the variable may be meant for another program. */
const layerLogLevel = Layer.effect(
  References.MinimumLogLevel,
  Config.String("LOG_LEVEL").pipe(
    Effect.map((set) => LogLevel.values.find((level) => level.toLowerCase() === set.toLowerCase()) ?? "Info"),
    Effect.orElseSucceed(() => "Info" as const)
  )
)

const layerFormatter = Layer.effect(
  CliOutput.Formatter,
  Effect.map(TerminalCapabilities.TerminalCapabilities, ({ canColor }) =>
    formatter(CliOutput.defaultFormatter({ colors: canColor }), canColor)
  )
).pipe(Layer.provide(TerminalCapabilities.layer))

const layerOutput = Layer.mergeAll(
  Layer.effect(CliOutput.Presenter, presenter),
  layerFormatter,
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions, GlobalFlag.LogLevel] }),
  // Effect's own logger writes to stdout.
  Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)]),
  layerLogLevel
)

// A defect is a bug. Its message may hold a secret; the place where it was thrown does not.
const unexpected = (defect: unknown): Failure.Failure => {
  const name = defect instanceof Error ? defect.name : typeof defect
  const at = defect instanceof Error ? (defect.stack ?? "").split("\n").find((line) => /^\s+at /.test(line)) : undefined
  return {
    _tag: "Bug",
    message: `this is a bug. Please report it: ${name}${at === undefined ? "" : ` ${at.trim()}`}`
  }
}

type Failed = CliError.CliError | ZapierAuthError | StoreError | Refused | Output.ReaderGone

const exitCode = (
  cause: Cause.Cause<Failed>,
  args: ReadonlyArray<string>
): Effect.Effect<number, never, Stdio.Stdio> => {
  const reason = cause.reasons.find(Cause.isFailReason)
  if (reason === undefined) return Effect.as(report(unexpected(Cause.squash(cause))), 1)
  const { error } = reason
  switch (error._tag) {
    case "ReaderGone":
      return Effect.succeed(1)
    // The presenter has shown it.
    case "ShowHelp":
      return Effect.succeed(error.errors.length > 0 ? 2 : 0)
    case "ZapierAuthError":
    case "Refused":
    case "StoreFailed":
    case "DecryptionFailed":
      return Effect.as(report(Failure.of(error, args)), 1)
    default:
      return Effect.as(report({ _tag: error._tag, message: error.message }), 1)
  }
}

/** Runs a command, and gives its exit code. Interrupting it interrupts the command. */
export const run = (args: ReadonlyArray<string>, version: string): Effect.Effect<number, never, Command.Environment> =>
  Effect.gen(function* () {
    const { console, flush } = Output.consoleOver(yield* Console.Console)
    const command = Effect.provideService(
      Command.runWith(root, { version })(resolve(root, args)),
      Console.Console,
      console
    )
    const exit = yield* Effect.exit(command)
    if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
    const code = Exit.isSuccess(exit) ? 0 : yield* exitCode(exit.cause, args)
    return yield* Effect.matchCauseEffect(flush, {
      onSuccess: () => Effect.succeed(code),
      onFailure: (cause) => exitCode(cause, args)
    })
  }).pipe(Effect.provide(layerOutput), Effect.provideService(Output.Json, isJson(args)))
