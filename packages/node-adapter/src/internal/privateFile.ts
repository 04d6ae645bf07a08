/**
 * Checks that files and folders are readable only by their owner. Unsafe permissions are rejected, not fixed, because others
 * may already have read the files.
 *
 * On Windows, Node's mode bits say nothing about access, so nothing is checked.
 */
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import * as TrustedPath from "./trustedPath.ts"
import { oneLine, quote } from "./terminalText.ts"

export interface Kind {
  readonly type: "File" | "Directory"
  /** The name in errors. */
  readonly setting: string
  /** The content that others could read. */
  readonly holds: string
  /** The owner's required access: read; read and write; or those and enter the folder. */
  readonly needs: 0o400 | 0o600 | 0o700
  /** For a folder: the names of the library's own files. One of them marks the folder as the library's. */
  readonly files?: ReadonlyArray<string> | undefined
}

// The maximum size of a file that is read, in bytes.
const longest = 65_536

const onWindows = process.platform === "win32"

export const refuse = (kind: Kind, problem: string): ZapierAuthError =>
  ZapierAuthError.make(new InvalidConfig({ setting: kind.setting, problem }))

/** The error's name: Effect's, or the system's (EROFS, ENOSPC). */
const nameOf = ({ reason }: PlatformError): string =>
  reason._tag === "Unknown" && Predicate.hasProperty(reason.cause, "code") ? String(reason.cause.code) : reason._tag

export const failed =
  (kind: Kind, doing: string) =>
  (error: PlatformError): ZapierAuthError => {
    const name = nameOf(error)
    if (name === "NotFound") return refuse(kind, `cannot ${doing}: it does not exist. Check the path, or set another`)
    if (name === "ENOSPC")
      return refuse(kind, `cannot ${doing}: the disk is full. Free some space, or set another path`)
    return refuse(kind, `cannot ${doing} (${name}). Check the path and its permissions, or set another path`)
  }

// undefined on Windows, which has no user ids.
const me = (): number | undefined => process.geteuid?.()

const isForeign = (info: FileSystem.File.Info): boolean =>
  Option.isSome(info.uid) && me() !== undefined && info.uid.value !== me()

const modeOf = ({ type }: Kind) => (type === "File" ? "600" : "700")

const allows = { 0o400: "read", 0o600: "read and written", 0o700: "read and written" } as const

const isOpen = ({ mode }: FileSystem.File.Info) => (mode & 0o077) !== 0

/**
 * Says what to do. Proposes a command that changes a file or folder only if it is known to be the library's, because a
 * mistyped path may be a system folder.
 */
const advice = (kind: Kind, isOwn: boolean, command: string): string =>
  isOwn
    ? `Run: ${command}`
    : kind.type === "Directory"
      ? "Set a dedicated folder: if it does not exist, it is created with the right permissions"
      : `Set the path of a file that only this user can read (mode ${modeOf(kind)})`

/** Describes the fault of a file or folder, if any: wrong type, wrong owner, or access for others. */
const fault = (kind: Kind, path: string, info: FileSystem.File.Info, isOwn: boolean): string | undefined => {
  const name = oneLine(path)
  if (info.type !== kind.type) return `${name} is not a ${kind.type === "File" ? "file" : "folder"}. Set another path`
  if (onWindows) return undefined
  const mode = (info.mode & 0o777).toString(8)
  const chmod = advice(kind, isOwn, `chmod ${modeOf(kind)} ${quote(path)}`)
  // A folder that is not the library's holds none of its secrets.
  const readable = kind.type === "File" || isOwn
  if (isForeign(info)) {
    const chown = advice(kind, isOwn, `chown ${me()} ${quote(path)}`)
    return `${name} belongs to another user${readable ? `, who can read the ${kind.holds} in it` : ""}. ${chown}`
  }
  if (isOpen(info)) {
    return `${name} is open to other users (mode ${mode})${readable ? `, who may have read the ${kind.holds} in it` : ""}. ${chmod}`
  }
  if ((info.mode & kind.needs) !== kind.needs) {
    return `${name} cannot be ${allows[kind.needs]} by its owner (mode ${mode}). ${chmod}`
  }
  return undefined
}

export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path

  const is = (path: string, what: (info: FileSystem.File.Info) => boolean) =>
    Effect.orElseSucceed(Effect.map(fs.stat(path), what), () => false)

  /** True for a folder with one of the library's files, or a file in a folder that only this user can enter. */
  const isOwn = ({ files = [], type }: Kind, path: string): Effect.Effect<boolean> =>
    type === "File"
      ? is(paths.dirname(path), (folder) => !isForeign(folder) && !isOpen(folder))
      : Effect.map(
          Effect.forEach(files, (name) =>
            is(paths.join(path, name), (file) => file.type === "File" && !isForeign(file))
          ),
          (found) => found.includes(true)
        )

  const refuseFault = Effect.fnUntraced(function* (kind: Kind, path: string, info: FileSystem.File.Info) {
    if (fault(kind, path, info, false) === undefined) return
    const problem = fault(kind, path, info, yield* isOwn(kind, path))
    if (problem !== undefined) return yield* refuse(kind, problem)
  })

  /**
   * Resolves links in a path, if no other user can change where they lead: see `trustedPath.ts`.
   *
   * @param missing whether a missing path is an error, or is resolved as it will be created
   */
  const followed = (
    kind: Kind,
    path: string,
    missing: "Refuse" | "Allow" = "Refuse"
  ): Effect.Effect<string, ZapierAuthError> =>
    TrustedPath.resolve(path, missing).pipe(
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.provideService(Path.Path, paths),
      Effect.mapError((error) =>
        error._tag === "Distrusted"
          ? refuse(kind, error.problem)
          : failed(
              kind,
              error.link === undefined ? `look at ${oneLine(path)}` : `follow the link ${oneLine(error.link)}`
            )(error.cause)
      )
    )

  const checked = Effect.fnUntraced(function* (kind: Kind, path: string) {
    const info = yield* Effect.mapError(fs.stat(path), failed(kind, `look at ${oneLine(path)}`))
    yield* refuseFault(kind, path, info)
  })

  /** Reads a small file. It is checked again once open, because it may have been exchanged. */
  const read = Effect.fnUntraced(
    function* (kind: Kind, path: string) {
      const real = yield* followed(kind, path)
      yield* checked(kind, real)
      const file = yield* fs.open(real, { flag: "r" })
      const info = yield* file.stat
      yield* refuseFault(kind, real, info)
      if (info.size > longest) return yield* refuse(kind, `${oneLine(real)} is too long. Set another path`)
      const bytes = yield* file.readAlloc(longest)
      return Option.match(bytes, { onNone: () => "", onSome: (found) => new TextDecoder().decode(found) })
    },
    Effect.scoped,
    (effect, kind, path) =>
      Effect.catchTag(effect, "PlatformError", (error) => Effect.fail(failed(kind, `read ${oneLine(path)}`)(error)))
  )

  /** Syncs the folder of a path, so that a new or renamed entry survives a power failure. Windows cannot open folders, and needs no sync. */
  const syncFolderOf = (path: string) =>
    Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(paths.dirname(path), { flag: "r" }), (folder) => folder.sync)))

  /**
   * Replaces a file's text atomically: written completely, synced and private, or not at all. `change` gets the old text and
   * returns the new one. Concurrent edits are refused.
   */
  const edit = Effect.fnUntraced(
    function* <E, R>(kind: Kind, path: string, change: (text: string) => Effect.Effect<string, E, R>) {
      const real = yield* followed(kind, path)
      const beside = `${real}.new`
      const isThere = refuse(
        kind,
        `${oneLine(beside)} exists: another process is changing ${oneLine(real)}, or was killed while doing so. If none is, run: rm ${quote(beside)}`
      )
      const notWritten = failed(kind, `write ${oneLine(beside)}`)
      let isOurs = false
      const write = Effect.gen(function* () {
        const file = yield* fs.open(beside, { flag: "wx", mode: 0o600 }).pipe(
          Effect.catchReason("PlatformError", "AlreadyExists", () => isThere),
          Effect.catchTag("PlatformError", (error) => notWritten(error))
        )
        isOurs = true
        const before = yield* read(kind, real)
        const after = yield* change(before)
        if (after === before) return
        const text = new TextEncoder().encode(after)
        yield* Effect.mapError(Effect.andThen(file.writeAll(text), file.sync), notWritten)
        yield* Effect.mapError(fs.rename(beside, real), notWritten)
        // From here on the file, if it exists, belongs to another process.
        isOurs = false
        yield* syncFolderOf(real)
      })
      const tidy = Effect.suspend(() => (isOurs ? Effect.ignore(fs.remove(beside)) : Effect.void))
      yield* Effect.ensuring(Effect.scoped(write), tidy)
    },
    // Takes milliseconds; an interruption would leave the temporary file behind.
    (effect) => Effect.uninterruptible(effect)
  )

  return { followed, checked, read, edit, syncFolderOf }
})
