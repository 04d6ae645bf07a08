/**
 * Where the embedded database lives, and that nobody else can read it. Tokens are passwords: the folder is the owner's
 * alone (0700), the file is (0600), and what is not so is refused instead of repaired, because somebody may have read it.
 *
 * On Windows the mode bits that Node shows say nothing about who may read a file; there the folder in the user's
 * profile, which other users cannot read, is the protection, and nothing is checked.
 *
 * @since 0.1.0
 */
import { InvalidConfig, from, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { UserDirectories } from "effect/persistence/UserDirectories"
import type { PlatformError } from "effect/PlatformError"

/**
 * @since 0.1.0
 */
export interface Options {
  /** The folder, which is made if it does not exist. Default: `zapier-workflow-auth` in the user's data directory. */
  readonly directory?: string | undefined
  /** The name of the file. Default: `auth.sqlite`. */
  readonly name?: string | undefined
}

// The library's own name: it is where the data of every program of this user is, unless told otherwise.
const appName = "zapier-workflow-auth"

const onWindows = process.platform === "win32"

type Kind = "File" | "Directory"

const settings = { File: "database file", Directory: "data directory" } as const

// What the owner must be able to do: read and write, and enter a folder.
const needed = { File: 0o600, Directory: 0o700 } as const

const refuse = (kind: Kind, problem: string): ZapierAuthError =>
  from(new InvalidConfig({ setting: settings[kind], problem }))

const failed =
  (kind: Kind, doing: string) =>
  (error: PlatformError): ZapierAuthError =>
    refuse(kind, `cannot ${doing} (${error.reason._tag}). Check the path and who may write to it, or set another`)

// `quote` is for people who copy the command.
const quote = (path: string) => `'${path.replaceAll("'", `'\\''`)}'`

// undefined on Windows, where nobody has a number.
const me = (): number | undefined => process.geteuid?.()

const isForeign = (info: FileSystem.File.Info): boolean =>
  Option.isSome(info.uid) && me() !== undefined && info.uid.value !== me()

/**
 * What is wrong with a file or folder, if anything is: another type, another owner, or a mode that is not the owner's alone.
 */
const fault = (kind: Kind, path: string, info: FileSystem.File.Info): string | undefined => {
  if (info.type !== kind) return `${path} is not a ${kind === "File" ? "file" : "folder"}. Set another path`
  if (onWindows) return undefined
  const mode = info.mode & 0o777
  const octal = needed[kind].toString(8)
  if (isForeign(info)) {
    return `${path} belongs to another user, who can read the tokens in it. Set another path, or run: chown ${me()} ${quote(path)}`
  }
  if ((mode & 0o077) !== 0) {
    return `${path} is open to other users (mode ${mode.toString(8)}), who may have read the tokens in it. Run: chmod ${octal} ${quote(path)}`
  }
  if ((mode & needed[kind]) !== needed[kind]) {
    return `${path} cannot be read and written by its owner (mode ${mode.toString(8)}). Run: chmod ${octal} ${quote(path)}`
  }
  return undefined
}

const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path

  /** The path behind a link, which only we may have made: its owner decides where the tokens go. */
  const followed = Effect.fnUntraced(function* (kind: Kind, path: string) {
    const info = yield* Effect.mapError(fs.lstat(path), failed(kind, `look at ${path}`))
    if (info.type !== "SymbolicLink") return path
    if (!onWindows && isForeign(info)) {
      return yield* refuse(kind, `${path} is a link that belongs to another user. Remove it, or set another path`)
    }
    return yield* Effect.mapError(fs.realPath(path), failed(kind, `follow the link ${path}`))
  })

  const checked = Effect.fnUntraced(function* (kind: Kind, path: string) {
    const info = yield* Effect.mapError(fs.stat(path), failed(kind, `look at ${path}`))
    const problem = fault(kind, path, info)
    if (problem !== undefined) return yield* refuse(kind, problem)
  })

  const folder = Effect.fnUntraced(function* (path: string) {
    // Makes what is missing, with this mode from the first moment on; what is there stays as it is.
    yield* Effect.mapError(
      fs.makeDirectory(path, { recursive: true, mode: 0o700 }),
      failed("Directory", `make ${path}`)
    )
    const real = yield* followed("Directory", path)
    yield* checked("Directory", real)
    return real
  })

  const file = Effect.fnUntraced(function* (path: string) {
    // SQLite would make it readable for everybody. It takes an empty file for a new database, and gives the mode of this file to its log.
    yield* fs.writeFile(path, new Uint8Array(), { flag: "wx", mode: 0o600 }).pipe(
      Effect.catchReason("PlatformError", "AlreadyExists", () => Effect.void),
      Effect.mapError(failed("File", `make ${path}`))
    )
    const real = yield* followed("File", path)
    // Through a link the log is written beside the file, not beside the link.
    if (real !== path) yield* checked("Directory", paths.dirname(real))
    yield* checked("File", real)
    // Left by a crash or brought by a copy. They hold what the file does.
    for (const beside of [`${real}-wal`, `${real}-shm`]) {
      if (yield* Effect.mapError(fs.exists(beside), failed("File", `look at ${beside}`))) yield* checked("File", beside)
    }
    return real
  })

  return { folder, file }
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
  const paths = yield* Path.Path
  const { file, folder } = yield* make
  const name = options.name ?? "auth.sqlite"
  if (name === "" || name === "." || name === ".." || paths.basename(name) !== name) {
    return yield* refuse("File", `${name} is not the name of a file. Set the folder as the directory`)
  }
  const directory =
    options.directory ??
    (yield* Effect.mapError(
      (yield* UserDirectories).data(appName),
      failed("Directory", "find the user's data directory")
    ))
  // Absolute: whoever changes the working directory later does not change where tokens are.
  return yield* file(paths.join(yield* folder(paths.resolve(directory)), name))
})
