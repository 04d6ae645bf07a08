/** A file system that notes in which order things reach the disk: what is not synced is lost when the power fails. */
import { basename } from "node:path"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const steps: Array<string> = []
  const noted = <A, E>(step: string, effect: Effect.Effect<A, E>) =>
    Effect.tap(effect, () => Effect.sync(() => void steps.push(step)))
  const recorded: FileSystem.FileSystem = {
    ...fs,
    open: (path, options) =>
      Effect.map(fs.open(path, options), (file): FileSystem.File =>
        Object.create(file, {
          sync: { value: noted(`sync ${basename(path)}`, file.sync) },
          writeAll: { value: (bytes: Uint8Array) => noted(`write ${basename(path)}`, file.writeAll(bytes)) }
        })
      ),
    rename: (from, to) => noted(`rename ${basename(from)} ${basename(to)}`, fs.rename(from, to)),
    link: (from, to) => noted(`link ${basename(from)} ${basename(to)}`, fs.link(from, to))
  }
  return { fs: recorded, steps }
})
