/**
 * Files and folders that nobody but their owner may read. What is not so is refused instead of repaired, because somebody
 * may have read it.
 *
 * On Windows the mode bits that Node shows say nothing about who may read a file, and nothing is checked.
 */
import { InvalidConfig, from, type ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"

export interface Kind {
  readonly type: "File" | "Directory"
  /** What it is called in errors. */
  readonly setting: string
  /** What others would read in it. */
  readonly holds: string
  /** What its owner must be able to do: read, read and write, or that and enter the folder. */
  readonly needs: 0o400 | 0o600 | 0o700
}

// Bytes, of a file that is read.
const longest = 65_536

const onWindows = process.platform === "win32"

export const refuse = (kind: Kind, problem: string): ZapierAuthError =>
  from(new InvalidConfig({ setting: kind.setting, problem }))

export const failed =
  (kind: Kind, doing: string) =>
  (error: PlatformError): ZapierAuthError =>
    refuse(
      kind,
      error.reason._tag === "NotFound"
        ? `cannot ${doing}: it is not there. Check the path, or set another`
        : `cannot ${doing} (${error.reason._tag}). Check the path and who may write to it, or set another`
    )

/** For people who copy the command. */
export const quote = (path: string) => `'${path.replaceAll("'", `'\\''`)}'`

// undefined on Windows, where nobody has a number.
const me = (): number | undefined => process.geteuid?.()

const isForeign = (info: FileSystem.File.Info): boolean =>
  Option.isSome(info.uid) && me() !== undefined && info.uid.value !== me()

const modeOf = ({ type }: Kind) => (type === "File" ? "600" : "700")

const allows = { 0o400: "read", 0o600: "read and written", 0o700: "read and written" } as const

/**
 * What is wrong with a file or folder, if anything is: another type, another owner, or a mode that is not the owner's alone.
 */
const fault = (kind: Kind, path: string, info: FileSystem.File.Info): string | undefined => {
  if (info.type !== kind.type) return `${path} is not a ${kind.type === "File" ? "file" : "folder"}. Set another path`
  if (onWindows) return undefined
  const mode = info.mode & 0o777
  if (isForeign(info)) {
    return `${path} belongs to another user, who can read the ${kind.holds} in it. Set another path, or run: chown ${me()} ${quote(path)}`
  }
  if ((mode & 0o077) !== 0) {
    return `${path} is open to other users (mode ${mode.toString(8)}), who may have read the ${kind.holds} in it. Run: chmod ${modeOf(kind)} ${quote(path)}`
  }
  if ((mode & kind.needs) !== kind.needs) {
    return `${path} cannot be ${allows[kind.needs]} by its owner (mode ${mode.toString(8)}). Run: chmod ${modeOf(kind)} ${quote(path)}`
  }
  return undefined
}

export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path

  /** The path behind a link, which only we may have made: its owner decides where the secrets go. */
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

  /** The text of a small file, which is looked at once more when it is open: it may have been exchanged. */
  const read = Effect.fnUntraced(
    function* (kind: Kind, path: string) {
      const real = yield* followed(kind, path)
      yield* checked(kind, real)
      const file = yield* fs.open(real, { flag: "r" })
      const info = yield* file.stat
      const problem = fault(kind, real, info)
      if (problem !== undefined) return yield* refuse(kind, problem)
      if (info.size > longest) return yield* refuse(kind, `${real} is too long. Set another path`)
      const bytes = yield* file.readAlloc(longest)
      return Option.match(bytes, { onNone: () => "", onSome: (found) => new TextDecoder().decode(found) })
    },
    Effect.scoped,
    (effect, kind, path) =>
      Effect.catchTag(effect, "PlatformError", (error) => Effect.fail(failed(kind, `read ${path}`)(error)))
  )

  /** So that what was made or renamed in a folder is still there after a power failure. Windows opens no folders, and needs none of it. */
  const syncFolderOf = (path: string) =>
    Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(paths.dirname(path), { flag: "r" }), (folder) => folder.sync)))

  /**
   * Writes a file anew: as a whole, on the disk and its owner's alone, or not at all. `change` is given its text; what it
   * gives back replaces it. Whoever else wants to change the file meanwhile is refused.
   */
  const edit = Effect.fnUntraced(
    function* <E, R>(kind: Kind, path: string, change: (text: string) => Effect.Effect<string, E, R>) {
      const real = yield* followed(kind, path)
      const beside = `${real}.new`
      const isThere = refuse(
        kind,
        `${beside} is there: somebody else is changing ${real}, or was killed while doing so. If nobody is, run: rm ${quote(beside)}`
      )
      const notWritten = failed(kind, `write ${beside}`)
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
        // From here on it is somebody else's, if it is there.
        isOurs = false
        yield* syncFolderOf(real)
      })
      const tidy = Effect.suspend(() => (isOurs ? Effect.ignore(fs.remove(beside)) : Effect.void))
      yield* Effect.ensuring(Effect.scoped(write), tidy)
    },
    // It is a matter of milliseconds, and half of it would leave the file beside behind.
    (effect) => Effect.uninterruptible(effect)
  )

  return { followed, checked, read, edit, syncFolderOf }
})
