/**
 * Resolves a path, if no other user of the machine can change where it leads.
 *
 * Users with write access to a folder can exchange its entries, and the owner of a link decides where it leads. So every
 * folder and link on the way is checked, including those behind links:
 *
 * - A world-writable folder is refused, unless it is sticky like `/tmp`, where users can rename and remove only their own
 *   entries.
 * - A link is refused if it belongs to neither this user nor root.
 *
 * The owner of a folder on the way is trusted, and so is its group if it has write access: containers and volumes are set up
 * like this, and the file at the end must be private in any case.
 *
 * On Windows, Node's mode bits say nothing about access, so nothing is checked.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import { oneLine } from "./terminalText.ts"

/** Another user can change where the path leads; with what to do about it. */
class Distrusted extends Data.TaggedError("Distrusted")<{ readonly problem: string }> {}

/** A part of the path could not be read. `link` is the link that could not be followed, if any. */
class Unreachable extends Data.TaggedError("Unreachable")<{
  readonly cause: PlatformError
  readonly link: string | undefined
}> {}

const onWindows = process.platform === "win32"

const isWritableByAll = ({ mode, type }: FileSystem.File.Info) =>
  type === "Directory" && (mode & 0o002) !== 0 && (mode & 0o1000) === 0

const isTrusted = ({ uid }: FileSystem.File.Info) => Option.isNone(uid) || [0, process.geteuid?.()].includes(uid.value)

/**
 * Resolves the links in a path.
 *
 * @param missing whether a missing part is an error, or will be created
 */
export const resolve = Effect.fnUntraced(function* (path: string, missing: "Refuse" | "Allow") {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const absolute = paths.resolve(path)
  if (onWindows) {
    return yield* fs.realPath(absolute).pipe(
      Effect.catchReason("PlatformError", "NotFound", (_, error) =>
        missing === "Allow" ? Effect.succeed(absolute) : Effect.fail(error)
      ),
      Effect.mapError((cause) => new Unreachable({ cause, link: undefined }))
    )
  }
  const { root } = paths.parse(absolute)
  const segmentsOf = (text: string) => text.split(paths.sep).filter((segment) => segment !== "")

  const checkFolder = Effect.fnUntraced(function* (folder: string) {
    const info = yield* Effect.mapError(fs.lstat(folder), (cause) => new Unreachable({ cause, link: undefined }))
    if (!isWritableByAll(info)) return
    return yield* new Distrusted({
      problem: `every user of this machine can write to ${oneLine(folder)}, and so replace ${oneLine(path)}. Set a path whose folders only trusted users can write to`
    })
  })

  /** The segments to which a link leads. */
  const follow = Effect.fnUntraced(function* (link: string, info: FileSystem.File.Info) {
    if (!isTrusted(info)) {
      return yield* new Distrusted({
        problem: `${oneLine(link)} is a link that belongs to another user. Set a path without it`
      })
    }
    const unreachable = (cause: PlatformError) => new Unreachable({ cause, link })
    // Fails for a circular or dangling link.
    yield* Effect.mapError(fs.stat(link), unreachable)
    return yield* Effect.mapError(fs.readLink(link), unreachable)
  })

  const rest = segmentsOf(absolute.slice(root.length))
  let current = root
  for (let segment = rest.shift(); segment !== undefined; segment = rest.shift()) {
    if (segment === "..") {
      current = paths.dirname(current)
      continue
    }
    yield* checkFolder(current)
    const next = paths.join(current, segment)
    const found = yield* Effect.result(fs.lstat(next))
    if (Result.isFailure(found)) {
      if (missing === "Allow" && found.failure.reason._tag === "NotFound") return paths.join(next, ...rest)
      return yield* new Unreachable({ cause: found.failure, link: undefined })
    }
    if (found.success.type !== "SymbolicLink") {
      current = next
      continue
    }
    const target = yield* follow(next, found.success)
    rest.unshift(...segmentsOf(target))
    if (paths.isAbsolute(target)) current = root
  }
  return current
})
