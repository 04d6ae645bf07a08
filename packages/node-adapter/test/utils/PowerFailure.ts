/**
 * A file system that tells what a power failure would leave. It is the real one, and remembers beside it what is on the disk
 * for certain: what was written to a file until the file was synced, and the names in a folder until the folder was (POSIX,
 * fsync). What is not for certain may be there or not.
 */
import * as NodeFs from "node:fs"
import { dirname } from "node:path"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

interface Node {
  text: string
  /** What of it is on the disk, or nothing. */
  synced: string | undefined
}

/** Replaces methods of something that has private fields. */
const override = <A extends object>(target: A, methods: Partial<A>): A =>
  new Proxy(target, {
    get: (_, name) => {
      const found: unknown = Reflect.get(name in methods ? methods : target, name)
      return typeof found === "function" && !(name in methods) ? found.bind(target) : found
    }
  })

export const make = (fs: FileSystem.FileSystem) => {
  const names = new Map<string, Node>()
  const syncedNames = new Map<string, Node>()
  /** Names that led to a file whose text was not on the disk, and what was done then. */
  const torn: Array<string> = []

  // What was there before is on the disk.
  const known = (path: string): Node => {
    const found = names.get(path)
    if (found !== undefined) return found
    const text = NodeFs.statSync(path).isFile() ? NodeFs.readFileSync(path, "utf8") : ""
    const node: Node = { text, synced: text }
    names.set(path, node)
    syncedNames.set(path, node)
    return node
  }

  const done = (what: string) => {
    for (const [path, { synced, text }] of names) {
      if (synced !== text && !path.endsWith(".new")) torn.push(`${path} after ${what}`)
    }
  }

  const syncFolder = (folder: string) => {
    for (const path of syncedNames.keys()) {
      if (dirname(path) === folder && !names.has(path)) syncedNames.delete(path)
    }
    for (const [path, node] of names) {
      if (dirname(path) === folder) syncedNames.set(path, node)
    }
  }

  const then = <A, E>(effect: Effect.Effect<A, E>, what: string, change: () => void) =>
    Effect.tap(effect, () =>
      Effect.sync(() => {
        change()
        done(what)
      })
    )

  const ofFile = (file: FileSystem.File, path: string): FileSystem.File => {
    const node = known(path)
    const isFolder = NodeFs.statSync(path).isDirectory()
    return override(file, {
      writeAll: (bytes) =>
        then(file.writeAll(bytes), "a write", () => {
          node.text += new TextDecoder().decode(bytes)
        }),
      sync: then(file.sync, "a sync", () => {
        node.synced = node.text
        if (isFolder) syncFolder(path)
      })
    })
  }

  const recorded = override(fs, {
    open: (path, options) =>
      Effect.suspend(() => {
        const isNew = !NodeFs.existsSync(path)
        return Effect.map(fs.open(path, options), (file) => {
          if (isNew) names.set(path, { text: "", synced: undefined })
          return ofFile(file, path)
        })
      }),
    makeDirectory: (path, options) =>
      Effect.suspend(() => {
        const missing: Array<string> = []
        for (let at = path; !NodeFs.existsSync(at); at = dirname(at)) missing.push(at)
        return then(fs.makeDirectory(path, options), "mkdir", () => {
          for (const folder of missing) names.set(folder, { text: "", synced: "" })
        })
      }),
    link: (from, to) => then(fs.link(from, to), "link", () => void names.set(to, known(from))),
    rename: (from, to) =>
      Effect.suspend(() => {
        const node = known(from)
        return then(fs.rename(from, to), "rename", () => {
          names.set(to, node)
          names.delete(from)
        })
      }),
    remove: (path, options) => then(fs.remove(path, options), "remove", () => void names.delete(path))
  })

  /** The text that a file has for certain after a power failure, if it is there. */
  const left = (path: string): string | undefined => {
    for (let at = dirname(path); at !== dirname(at); at = dirname(at)) {
      if (names.has(at) && !syncedNames.has(at)) return undefined
    }
    return syncedNames.get(path)?.synced
  }

  return { fs: recorded, left, torn }
}

/** Runs it with such a file system. */
export const withPowerFailures = <A, E, R>(
  use: (power: ReturnType<typeof make>) => Effect.Effect<A, E, R | FileSystem.FileSystem>
) =>
  Effect.gen(function* () {
    const power = make(yield* FileSystem.FileSystem)
    return yield* Effect.provideService(use(power), FileSystem.FileSystem, power.fs)
  })
