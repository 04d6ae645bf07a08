/**
 * Where a path leads, if no other user of the machine can change that.
 *
 * Whoever may write to a folder can put something else in the place of what is in it, and whoever owns a link decides
 * where it leads. So each folder and each link on the way is looked at, those behind links, too:
 *
 * - A folder that every user may write to is refused, unless it is sticky, as `/tmp` is: there, users rename and remove only
 *   what is theirs.
 * - A link is refused when it belongs to neither this user nor root.
 *
 * The owner of a folder on the way, and its group where that may write to it, are trusted: containers and volumes are set
 * up like this, and what is kept at the end of the path is this user's alone in any case.
 *
 * On Windows the mode bits that Node shows say nothing, and nothing is checked.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import { oneLine } from "./terminalText.ts"

/** Another user can change where the path leads: how, and what to do. */
class Distrusted extends Data.TaggedError("Distrusted")<{ readonly problem: string }> {}

/** Something on the path could not be looked at; `link` is the link that could not be followed, if it was one. */
class Unreachable extends Data.TaggedError("Unreachable")<{
  readonly cause: PlatformError
  readonly link: string | undefined
}> {}

const onWindows = process.platform === "win32"

const isWritableByAll = ({ mode, type }: FileSystem.File.Info) =>
  type === "Directory" && (mode & 0o002) !== 0 && (mode & 0o1000) === 0

const isTrusted = ({ uid }: FileSystem.File.Info) => Option.isNone(uid) || [0, process.geteuid?.()].includes(uid.value)

/**
 * The path without links.
 *
 * @param missing whether what is not there is an error, or the rest of the path is still to be made
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
      problem: `every user of this machine may write to ${oneLine(folder)}, and put something else in the place of ${oneLine(path)}. Set a path all of whose folders only trusted users can write to`
    })
  })

  /** Where a link leads: the segments to go on with. */
  const follow = Effect.fnUntraced(function* (link: string, info: FileSystem.File.Info) {
    if (!isTrusted(info)) {
      return yield* new Distrusted({
        problem: `${oneLine(link)} is a link that belongs to another user. Set a path without it`
      })
    }
    const unreachable = (cause: PlatformError) => new Unreachable({ cause, link })
    // Refuses a circle, and a link to nowhere.
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
