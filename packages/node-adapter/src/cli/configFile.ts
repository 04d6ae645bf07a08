/**
 * The configuration file: variables, one a line, as an alternative to the environment, which overrides it. It may hold the
 * client secret, so only its owner may read it.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as UserDirectories from "effect/persistence/UserDirectories"
import * as PrivateFile from "../internal/privateFile.ts"
import * as Variable from "../internal/variable.ts"

/** The global flag `--config`. */
export const flag = GlobalFlag.Setting("config")({
  flag: Flag.String("config").pipe(
    Flag.withMetavar("PATH"),
    Flag.withDescription(
      "A file with lines like ZAPIER_CLIENT_ID=abc. Default: ZAPIER_CONFIG, or config.env in the user's configuration directory"
    ),
    Flag.optional
  )
})

const kind: PrivateFile.Kind = {
  type: "File",
  setting: "configuration file",
  holds: "client secret",
  needs: 0o400
}

/** The file that is read by default. */
const defaultPath: Effect.Effect<
  Option.Option<string>,
  never,
  UserDirectories.UserDirectories | Path.Path
> = Effect.gen(function* () {
  const paths = yield* Path.Path
  const directories = yield* UserDirectories.UserDirectories
  // A user without a home directory has no such file.
  const directory = yield* Effect.option(directories.config("zapier-workflow-auth"))
  return Option.map(directory, (folder) => paths.join(folder, "config.env"))
})

/** The named file, else the default file if it exists. */
export const path = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const environment = yield* Variable.text("ZAPIER_CONFIG")
  const named = Option.orElse(yield* flag, () => environment)
  if (Option.isSome(named)) return named
  const found = yield* defaultPath
  const isThere = Option.isSome(found) && (yield* Effect.orElseSucceed(fs.exists(found.value), () => false))
  return isThere ? found : Option.none<string>()
})

const provider = Effect.gen(function* () {
  const found = yield* path
  if (Option.isNone(found)) return ConfigProvider.fromUnknown({})
  const { read } = yield* PrivateFile.make
  return ConfigProvider.fromDotEnvContents(yield* read(kind, found.value))
})

/**
 * The environment, and the file as its fallback.
 *
 * Fails with `InvalidConfig` if the named file does not exist, cannot be read, or can be read by others.
 */
export const layer: Layer.Layer<
  never,
  ZapierAuthError,
  GlobalFlag.Setting.Identifier<"config">
> = ConfigProvider.layerAdd(provider).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer, UserDirectories.layer]))
