/**
 * Where the embedded database lives, and that nobody else can read it. Tokens are passwords: the folder is the owner's
 * alone (0700), the file is (0600), and what is not so is refused instead of repaired, because somebody may have read it.
 *
 * On Windows the mode bits that Node shows say nothing about who may read a file; there the folder in the user's
 * profile, which other users cannot read, is the protection, and nothing is checked.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { UserDirectories } from "effect/persistence/UserDirectories"
import * as PrivateFile from "./internal/privateFile.ts"

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

const folderKind: PrivateFile.Kind = { type: "Directory", setting: "data directory", holds: "tokens", needs: 0o700 }

/**
 * The folder that is meant, whether it is there or not. Absolute: whoever changes the working directory later does not
 * change where tokens are.
 *
 * @internal
 */
export const folderOf = Effect.fnUntraced(function* (directory: string | undefined) {
  const paths = yield* Path.Path
  const directories = yield* UserDirectories
  const unknown = PrivateFile.refuse(folderKind, "this user has no home directory: set HOME, or set a directory")
  return paths.resolve(directory ?? (yield* Effect.mapError(directories.data(appName), () => unknown)))
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
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const { checked, followed, syncFolderOf } = yield* PrivateFile.make
  if (name === "" || name === "." || name === ".." || paths.basename(name) !== name) {
    return yield* PrivateFile.refuse(kind, `${name} is not the name of a file. Set the folder as the directory`)
  }
  const folder = yield* folderOf(directory)
  if (create) {
    const missing: Array<string> = []
    for (let at = folder; !(yield* Effect.orElseSucceed(fs.exists(at), () => true)); at = paths.dirname(at)) {
      missing.push(at)
    }
    // Makes what is missing, with this mode from the first moment on; what is there stays as it is.
    yield* Effect.mapError(
      fs.makeDirectory(folder, { recursive: true, mode: 0o700 }),
      PrivateFile.failed(folderKind, `make ${folder}`)
    )
    // A file is lost in a power failure with the name of a folder that it is in.
    yield* Effect.forEach(missing, syncFolderOf, { discard: true })
  }
  const real = yield* followed(folderKind, folder)
  yield* checked(folderKind, real)
  return paths.join(real, name)
})

/**
 * The path of the database, whose folder and file exist afterwards and are the owner's alone.
 *
 * Fails with `InvalidConfig`, which says what to run, when the folder or the file can be read or written by others,
 * belongs to another user, is reached over another user's link, or cannot be used at all. Nothing that was there is changed.
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
      Effect.mapError(PrivateFile.failed(fileKind, `make ${path}`))
    )
  }
  const real = yield* followed(fileKind, path)
  // Through a link the log is written beside the file, not beside the link.
  if (real !== path) yield* checked(folderKind, paths.dirname(real))
  yield* checked(fileKind, real)
  // Left by a crash or brought by a copy. They hold what the file does.
  for (const beside of [`${real}-wal`, `${real}-shm`]) {
    if (yield* Effect.mapError(fs.exists(beside), PrivateFile.failed(fileKind, `look at ${beside}`))) {
      yield* checked(fileKind, beside)
    }
  }
  return real
})
