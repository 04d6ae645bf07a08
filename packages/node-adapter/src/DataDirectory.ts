/**
 * Where the embedded database lives, and that nobody else can read it. Tokens are passwords: the folder is the owner's
 * alone (0700), the file is (0600), and what is not so is refused instead of repaired, because somebody may have read it.
 *
 * On Windows the mode bits that Node shows say nothing about who may read a file; there the folder in the user's
 * profile, which other users cannot read, is the protection, and nothing is checked.
 *
 * @since 0.1.0
 */
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { UserDirectories } from "effect/persistence/UserDirectories"
import * as PrivateFile from "./internal/privateFile.ts"
import { oneLine } from "./internal/terminalText.ts"

/**
 * Where a file is kept.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The folder, which is made if it does not exist. Default: `zapier-workflow-auth` in the user's data directory. */
  readonly directory?: string | undefined
  /** The name of the file. Default: `auth.sqlite`. */
  readonly name?: string | undefined
  /** Whether to make the folder and the file if they do not exist. Default: yes. Without it that is `InvalidConfig`. */
  readonly create?: boolean | undefined
}

// The library's own name: it is where the data of every program of this user is, unless told otherwise.
const appName = "zapier-workflow-auth"

const fileKind: PrivateFile.Kind = { type: "File", setting: "database file", holds: "tokens", needs: 0o600 }

// Under their usual names, so that a folder is known as the library's whichever of them is there.
const usual = ["auth.sqlite", "auth.key", "fake.sqlite", "fake.key"]

const folderKind: PrivateFile.Kind = { type: "Directory", setting: "data directory", holds: "tokens", needs: 0o700 }

/** The folder of a file of that name, by which it is known if no system has a file of that name. */
const folderWith = (name: string): PrivateFile.Kind => ({
  ...folderKind,
  files: /\.(sqlite|key)$/.test(name) ? [name, ...usual] : usual
})

/**
 * The folder that is meant, whether it is there or not. Absolute: whoever changes the working directory later does not
 * change where tokens are.
 *
 * @internal
 */
export const folderOf = Effect.fnUntraced(function* (directory: string | undefined) {
  const paths = yield* Path.Path
  const directories = yield* UserDirectories
  // Nobody means the working directory by nothing.
  if (directory?.trim() === "")
    return yield* PrivateFile.refuse(folderKind, "its path is empty. Set the path of a folder")
  const unknown = PrivateFile.refuse(folderKind, "this user has no home directory: set HOME, or set a directory")
  return paths.resolve(directory ?? (yield* Effect.mapError(directories.data(appName), () => unknown)))
})

/** Makes what is missing, a folder at a time: all at once, Node never ends in some file systems, as that of `/proc`. */
const makeFolder = (
  folder: string,
  syncFolderOf: (path: string) => Effect.Effect<void, ZapierAuthError>
): Effect.Effect<void, ZapierAuthError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const parent = paths.dirname(folder)
    const isThere = (path: string) => Effect.orElseSucceed(fs.exists(path), () => false)
    if (yield* isThere(folder)) return
    if (parent !== folder && !(yield* isThere(parent))) yield* makeFolder(parent, syncFolderOf)
    // With this mode from the first moment on. What is there stays as it is.
    yield* fs.makeDirectory(folder, { mode: 0o700 }).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
      Effect.catchReason("PlatformError", "NotFound", () =>
        PrivateFile.refuse(folderKind, `no folder can be made at ${oneLine(folder)}. Set another path`)
      ),
      Effect.catchTag("PlatformError", (error) =>
        Effect.fail(PrivateFile.failed(folderKind, `make ${oneLine(folder)}`)(error))
      )
    )
    // A file is lost in a power failure with the name of a folder that it is in.
    yield* syncFolderOf(folder)
  })

/**
 * The path of a file in the data directory, which exists afterwards and is the owner's alone. Nothing is done to the file.
 *
 * @internal
 */
export const pathOf = Effect.fnUntraced(function* (
  kind: PrivateFile.Kind,
  name: string,
  directory: string | undefined,
  create: boolean
) {
  const paths = yield* Path.Path
  const { checked, followed, syncFolderOf } = yield* PrivateFile.make
  if (name === "" || name === "." || name === ".." || paths.basename(name) !== name) {
    return yield* PrivateFile.refuse(
      kind,
      `${oneLine(name)} is not the name of a file. Set the folder as the directory`
    )
  }
  const folder = yield* followed(folderKind, yield* folderOf(directory), create ? "Allow" : "Refuse")
  if (create) yield* makeFolder(folder, syncFolderOf)
  yield* checked(folderWith(name), folder)
  return paths.join(folder, name)
})

/**
 * The path of the database, whose folder and file exist afterwards and are the owner's alone.
 *
 * Fails with `InvalidConfig`, which says what to do, when the folder or the file can be read or written by others, belongs
 * to another user, is reached over another user's link or through a folder that every user may write to (unless it is
 * sticky, as `/tmp`), or cannot be used at all. Nothing that was there is changed.
 *
 * @example
 * ```ts
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as DataDirectory from "@zapier-workflow-auth/node-adapter/DataDirectory"
 * import * as Effect from "effect/Effect"
 * import * as UserDirectories from "effect/persistence/UserDirectories"
 *
 * const program = Effect.gen(function* () {
 *   const path = yield* DataDirectory.database({ name: "staging.sqlite" })
 *   yield* Effect.log(`Tokens are in ${path}`)
 * })
 *
 * program.pipe(Effect.provide([NodeServices.layer, UserDirectories.layer]))
 * ```
 *
 * @since 0.1.0
 */
export const database = Effect.fn("DataDirectory.database")(function* (options: Options = {}) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const { checked, followed } = yield* PrivateFile.make
  const create = options.create ?? true
  const path = yield* pathOf(fileKind, options.name ?? "auth.sqlite", options.directory, create)
  if (create) {
    // SQLite would make it readable for everybody. It takes an empty file for a new database, and gives the mode of this file to its log.
    yield* fs.writeFile(path, new Uint8Array(), { flag: "wx", mode: 0o600 }).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
      Effect.mapError(PrivateFile.failed(fileKind, `make ${oneLine(path)}`))
    )
  }
  const real = yield* followed(fileKind, path)
  // Through a link the log is written beside the file, not beside the link.
  if (real !== path) yield* checked(folderWith(paths.basename(real)), paths.dirname(real))
  yield* checked(fileKind, real)
  // Left by a crash or brought by a copy. They hold what the file does.
  for (const beside of [`${real}-wal`, `${real}-shm`]) {
    if (yield* Effect.mapError(fs.exists(beside), PrivateFile.failed(fileKind, `look at ${oneLine(beside)}`))) {
      yield* checked(fileKind, beside)
    }
  }
  return real
})
