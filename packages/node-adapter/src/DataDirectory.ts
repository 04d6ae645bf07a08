/**
 * Places the embedded database in a folder that only its owner can read.
 *
 * Tokens are as sensitive as passwords: the folder must have mode 0700 and the file 0600. Unsafe permissions are rejected,
 * not fixed, because others may already have read the files.
 *
 * On Windows, Node's mode bits say nothing about access. There, nothing is checked; the folder is in the user's profile,
 * which other users cannot read.
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
 * The location of a file.
 *
 * @since 0.1.0
 */
export interface Options {
  /** The folder. It is created if missing. Default: `zapier-workflow-auth` in the user's data directory. */
  readonly directory?: string | undefined
  /** The name of the file. Default: `auth.sqlite`. */
  readonly name?: string | undefined
  /** True to create a missing folder or file; false to fail with `InvalidConfig`. Default: true. */
  readonly create?: boolean | undefined
}

// All programs of a user share this folder by default.
const appName = "zapier-workflow-auth"

const fileKind: PrivateFile.Kind = { type: "File", setting: "database file", holds: "tokens", needs: 0o600 }

// A folder with one of these files is recognized as the library's.
const usual = ["auth.sqlite", "auth.key", "fake.sqlite", "fake.key"]

const folderKind: PrivateFile.Kind = { type: "Directory", setting: "data directory", holds: "tokens", needs: 0o700 }

/** The kind of a folder that holds the given file. The name marks it only if it is distinctive. */
const folderWith = (name: string): PrivateFile.Kind => ({
  ...folderKind,
  files: /\.(sqlite|key)$/.test(name) ? [name, ...usual] : usual
})

/**
 * Resolves the folder's absolute path, so that a later change of the working directory does not matter. The folder need not
 * exist.
 *
 * @internal
 */
export const folderOf = Effect.fnUntraced(function* (directory: string | undefined) {
  const paths = yield* Path.Path
  const directories = yield* UserDirectories
  // An empty path must not mean the working directory.
  if (directory?.trim() === "")
    return yield* PrivateFile.refuse(folderKind, "its path is empty. Set the path of a folder")
  const unknown = PrivateFile.refuse(folderKind, "this user has no home directory: set HOME, or set a directory")
  return paths.resolve(directory ?? (yield* Effect.mapError(directories.data(appName), () => unknown)))
})

/** Creates missing folders one by one: Node's recursive creation never ends in some file systems, such as `/proc`. */
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
    // Set the mode at creation. Existing folders stay as they are.
    yield* fs.makeDirectory(folder, { mode: 0o700 }).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
      Effect.catchReason("PlatformError", "NotFound", () =>
        PrivateFile.refuse(folderKind, `the folder ${oneLine(folder)} cannot be created. Set another path`)
      ),
      Effect.catchTag("PlatformError", (error) =>
        Effect.fail(PrivateFile.failed(folderKind, `make ${oneLine(folder)}`)(error))
      )
    )
    // Without this, a power failure could lose a file together with its new folder's name.
    yield* syncFolderOf(folder)
  })

/**
 * Returns the path of a file in the data directory. Creates and checks the folder, but does not touch the file.
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
    return yield* PrivateFile.refuse(kind, `${oneLine(name)} is not a file name. Set the folder as the directory`)
  }
  const folder = yield* followed(folderKind, yield* folderOf(directory), create ? "Allow" : "Refuse")
  if (create) yield* makeFolder(folder, syncFolderOf)
  yield* checked(folderWith(name), folder)
  return paths.join(folder, name)
})

/**
 * Returns the path of the database. Creates its folder and file if missing, readable only by their owner.
 *
 * Fails with `InvalidConfig`, which says what to do, if the folder or file is accessible to others, belongs to another user,
 * is reached over another user's link or through a world-writable folder (unless sticky, such as `/tmp`), or cannot be used
 * at all. Existing files are never changed.
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
    // SQLite would create it world-readable. An empty file counts as a new database, and its log gets the same mode.
    yield* fs.writeFile(path, new Uint8Array(), { flag: "wx", mode: 0o600 }).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
      Effect.mapError(PrivateFile.failed(fileKind, `make ${oneLine(path)}`))
    )
  }
  const real = yield* followed(fileKind, path)
  // SQLite writes the log beside the linked file, not beside the link.
  if (real !== path) yield* checked(folderWith(paths.basename(real)), paths.dirname(real))
  yield* checked(fileKind, real)
  // The log may remain from a crash or a copy, and holds the same data.
  for (const beside of [`${real}-wal`, `${real}-shm`]) {
    if (yield* Effect.mapError(fs.exists(beside), PrivateFile.failed(fileKind, `look at ${oneLine(beside)}`))) {
      yield* checked(fileKind, beside)
    }
  }
  return real
})
