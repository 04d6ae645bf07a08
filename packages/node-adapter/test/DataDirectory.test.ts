import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, expect, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as UserDirectories from "effect/persistence/UserDirectories"
import * as DataDirectory from "../src/DataDirectory.ts"

const isRoot = process.geteuid?.() === 0
const onWindows = process.platform === "win32"

// The user "nobody", on most systems. It need not exist.
const stranger = 65534

const withFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* use(yield* fs.makeTempDirectoryScoped({ prefix: "zapier-data-" }))
  }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, UserDirectories.layer]))

const mode = (path: string) => (NodeFs.statSync(path).mode & 0o777).toString(8)

const refusal = (options: DataDirectory.Options) =>
  Effect.map(Effect.flip(DataDirectory.database(options)), (error) => {
    expect(error.reason._tag).toBe("InvalidConfig")
    expect(error.isRetryable).toBe(false)
    return error.message
  })

describe("DataDirectory.database", () => {
  it.effect("makes folder and file for the owner alone, whatever the umask is", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const umask = process.umask(0)
        yield* Effect.addFinalizer(() => Effect.sync(() => process.umask(umask)))
        const path = yield* DataDirectory.database({ directory: NodePath.join(folder, "a", "b"), name: "c.sqlite" })
        expect(path).toBe(NodePath.join(NodeFs.realpathSync(folder), "a", "b", "c.sqlite"))
        expect(NodeFs.readFileSync(path).length).toBe(0)
        if (onWindows) return
        expect([mode(NodePath.join(folder, "a")), mode(NodePath.join(folder, "a", "b")), mode(path)]).toEqual([
          "700",
          "700",
          "600"
        ])
      })
    )
  )

  it.effect("makes nothing when it is told not to", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const directory = NodePath.join(folder, "a")
        expect(yield* refusal({ directory, create: false })).toContain(`cannot look at ${directory}: it does not exist`)
        expect(NodeFs.readdirSync(folder)).toEqual([])
        const path = yield* DataDirectory.database({ directory, name: "b.sqlite" })
        expect(yield* refusal({ directory, create: false })).toContain("auth.sqlite: it does not exist")
        expect(yield* DataDirectory.database({ directory, name: "b.sqlite", create: false })).toBe(path)
        expect(NodeFs.readdirSync(directory)).toEqual(["b.sqlite"])
      })
    )
  )

  it.effect("is in the user's data directory unless told otherwise", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const path = yield* DataDirectory.database()
        expect(path).toBe(NodePath.join(NodeFs.realpathSync(folder), "zapier-workflow-auth", "auth.sqlite"))
      }).pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: { XDG_DATA_HOME: folder } }))
      )
    )
  )

  it.effect("says so when the user has no data directory", () =>
    withFolder(() =>
      Effect.gen(function* () {
        expect(yield* refusal({})).toContain("this user has no home directory")
      }).pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: {} })))
    )
  )

  it.effect("gives an absolute path for a relative folder", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const path = yield* DataDirectory.database({ directory: NodePath.relative(process.cwd(), folder) })
        expect(path).toBe(NodePath.join(NodeFs.realpathSync(folder), "auth.sqlite"))
      })
    )
  )

  it.effect("keeps what is there, also when several come at once", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const all = yield* Effect.all(
          Array.from({ length: 10 }, () => DataDirectory.database({ directory })),
          { concurrency: "unbounded" }
        )
        expect(new Set(all).size).toBe(1)
        const path = NodePath.join(directory, "auth.sqlite")
        NodeFs.writeFileSync(path, "kept")
        yield* DataDirectory.database({ directory })
        expect(NodeFs.readFileSync(path, "utf8")).toBe("kept")
      })
    )
  )

  it.effect.each(["", ".", "..", "a/b", "../a", "a/"])("refuses %j as a name", (name) =>
    withFolder((directory) =>
      Effect.gen(function* () {
        expect(yield* refusal({ directory, name })).toContain("not a file name")
        expect(NodeFs.readdirSync(directory)).toEqual([])
      })
    )
  )

  it.effect.each(["", " "])("takes no empty path (%j) for the working directory", (directory) =>
    Effect.gen(function* () {
      expect(yield* refusal({ directory })).toBe("data directory: its path is empty. Set the path of a folder")
    }).pipe(Effect.provide([NodeServices.layer, UserDirectories.layer]))
  )

  it.effect("refuses a path of the wrong kind", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        NodeFs.mkdirSync(NodePath.join(folder, "auth.sqlite"), { mode: 0o700 })
        expect(yield* refusal({ directory: folder })).toContain("auth.sqlite is not a file")
        NodeFs.writeFileSync(NodePath.join(folder, "file"), "", { mode: 0o600 })
        expect(yield* refusal({ directory: NodePath.join(folder, "file") })).toContain("file is not a folder")
      })
    )
  )
})

describe.skipIf(process.platform !== "linux")("DataDirectory.database, where no folder can be made", () => {
  it.effect.each(["/proc/nope", "/proc/nope/inner", "/dev/full", "/dev/null/x"])("says so, and ends: %s", (directory) =>
    withFolder(() =>
      Effect.gen(function* () {
        expect(yield* refusal({ directory })).toMatch(/^data directory: .*[Ss]et another/)
      })
    )
  )
})

describe.skipIf(onWindows)("DataDirectory.database, permissions", () => {
  it.effect.each([0o640, 0o604, 0o620, 0o602, 0o666])("refuses a file of mode %o, and says what to run", (bits) =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const path = yield* DataDirectory.database({ directory })
        for (const open of [path, `${path}-wal`, `${path}-shm`]) {
          NodeFs.writeFileSync(open, "secret")
          NodeFs.chmodSync(open, bits)
          const message = yield* refusal({ directory })
          expect(message).toContain(`mode ${bits.toString(8)}`)
          expect(message).toContain(`chmod 600 '${open}'`)
          // Refused, not repaired.
          expect(mode(open)).toBe(bits.toString(8))
          NodeFs.chmodSync(open, 0o600)
          expect(yield* DataDirectory.database({ directory })).toBe(path)
        }
      })
    )
  )

  it.effect.each([0o750, 0o705, 0o710, 0o701, 0o777])("refuses a folder of mode %o, and says what to run", (bits) =>
    withFolder((directory) =>
      Effect.gen(function* () {
        yield* DataDirectory.database({ directory })
        NodeFs.chmodSync(directory, bits)
        const message = yield* refusal({ directory })
        expect(message).toContain(`mode ${bits.toString(8)}`)
        expect(message).toContain(`chmod 700 '${directory}'`)
      })
    )
  )

  it.effect.each([
    ["empty", () => {}],
    ["somebody's", (folder) => NodeFs.writeFileSync(NodePath.join(folder, "hosts"), "")],
    ["somebody's, with a folder of that name", (folder) => NodeFs.mkdirSync(NodePath.join(folder, "auth.key"))]
  ] as ReadonlyArray<readonly [string, (folder: string) => void]>)(
    "proposes no command for an open folder that is %s",
    ([, fill]) =>
      withFolder((directory) =>
        Effect.gen(function* () {
          fill(directory)
          NodeFs.chmodSync(directory, 0o755)
          const before = NodeFs.readdirSync(directory)
          for (const create of [true, false]) {
            const message = yield* refusal({ directory, create })
            expect(message).toContain(`${directory} is open to other users (mode 755). Set a dedicated folder`)
            expect(message).not.toMatch(/chmod|chown|Run:/)
          }
          expect(NodeFs.readdirSync(directory)).toEqual(before)
        })
      )
  )

  it.effect.each(["/etc", "/", "/usr"])("proposes no command for %s", (directory) =>
    withFolder(() =>
      Effect.gen(function* () {
        expect(yield* refusal({ directory, create: false })).not.toMatch(/chmod|chown|Run:/)
      })
    )
  )

  it.effect("refuses what its owner cannot read and write", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const path = yield* DataDirectory.database({ directory })
        for (const bits of [0o400, 0o200, 0o000]) {
          NodeFs.chmodSync(path, bits)
          expect(yield* refusal({ directory })).toContain(`chmod 600 '${path}'`)
        }
        NodeFs.chmodSync(path, 0o600)
        NodeFs.chmodSync(directory, 0o500)
        expect(yield* refusal({ directory })).toContain(`chmod 700 '${directory}'`)
        // Else only root could remove it.
        NodeFs.chmodSync(directory, 0o700)
      })
    )
  )

  // Mode bits do not stop root, so root becomes somebody else for a while.
  it.effect("says so when the folder cannot be made", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        if (isRoot) {
          NodeFs.chownSync(folder, stranger, stranger)
          process.seteuid?.(stranger)
          yield* Effect.addFinalizer(() => Effect.sync(() => process.seteuid?.(0)))
        }
        NodeFs.chmodSync(folder, 0o500)
        yield* Effect.addFinalizer(() => Effect.sync(() => NodeFs.chmodSync(folder, 0o700)))
        const message = yield* refusal({ directory: NodePath.join(folder, "inner") })
        expect(message).toContain(`cannot make ${NodePath.join(folder, "inner")} (PermissionDenied)`)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("follows the user's own links to what is safe, and not to what is open", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const real = yield* DataDirectory.database({ directory: NodePath.join(folder, "real") })
        const link = NodePath.join(folder, "link")
        NodeFs.symlinkSync(NodePath.dirname(real), link)
        expect(yield* DataDirectory.database({ directory: link })).toBe(real)
        const other = NodePath.join(folder, "other")
        NodeFs.mkdirSync(other, { mode: 0o700 })
        NodeFs.symlinkSync(real, NodePath.join(other, "auth.sqlite"))
        expect(yield* DataDirectory.database({ directory: other })).toBe(real)
        // The log would be beside the file, in this folder.
        NodeFs.chmodSync(NodePath.dirname(real), 0o755)
        expect(yield* refusal({ directory: other })).toContain(`chmod 700 '${NodePath.dirname(real)}'`)
        NodeFs.chmodSync(NodePath.dirname(real), 0o700)
        NodeFs.chmodSync(real, 0o644)
        expect(yield* refusal({ directory: other })).toContain(`chmod 600 '${real}'`)
      })
    )
  )

  it.effect("refuses a folder below one that every user may write to, and makes nothing there", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const shared = NodePath.join(folder, "shared")
        NodeFs.mkdirSync(shared)
        NodeFs.chmodSync(shared, 0o777)
        const directory = NodePath.join(shared, "a", "b")
        const message = yield* refusal({ directory })
        expect(message).toContain(`every user of this machine can write to ${shared}`)
        expect(message).toContain("Set a path")
        expect(NodeFs.readdirSync(shared)).toEqual([])
        // As /tmp is: nobody can rename what is another's.
        NodeFs.chmodSync(shared, 0o1777)
        yield* DataDirectory.database({ directory })
        NodeFs.chmodSync(shared, 0o777)
        expect(yield* refusal({ directory, create: false })).toContain(`can write to ${shared}`)
      })
    )
  )

  it.effect("refuses a link to nowhere", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        NodeFs.symlinkSync(NodePath.join(directory, "nowhere"), NodePath.join(directory, "auth.sqlite"))
        expect(yield* refusal({ directory })).toContain("cannot follow the link")
        expect(NodeFs.readdirSync(directory)).toEqual(["auth.sqlite"])
      })
    )
  )

  it.effect("quotes the path in the command", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const directory = NodePath.join(folder, "it's here")
        yield* DataDirectory.database({ directory })
        NodeFs.chmodSync(directory, 0o755)
        expect(yield* refusal({ directory })).toContain(`chmod 700 '${folder}/it'\\''s here'`)
      })
    )
  )

  describe.skipIf(!isRoot)("of other users (only root can make their files)", () => {
    it.effect("refuses their files and folders", () =>
      withFolder((directory) =>
        Effect.gen(function* () {
          const path = yield* DataDirectory.database({ directory })
          NodeFs.chownSync(path, stranger, stranger)
          expect(yield* refusal({ directory })).toContain(`chown 0 '${path}'`)
          NodeFs.chownSync(path, 0, 0)
          NodeFs.chownSync(directory, stranger, stranger)
          expect(yield* refusal({ directory })).toContain(`chown 0 '${directory}'`)
        })
      )
    )

    it.effect("refuses their links, to files and to folders", () =>
      withFolder((folder) =>
        Effect.gen(function* () {
          const real = yield* DataDirectory.database({ directory: NodePath.join(folder, "real") })
          const link = NodePath.join(folder, "link")
          NodeFs.symlinkSync(NodePath.dirname(real), link)
          NodeFs.lchownSync(link, stranger, stranger)
          expect(yield* refusal({ directory: link })).toContain("is a link that belongs to another user")
          const file = NodePath.join(folder, "auth.sqlite")
          NodeFs.symlinkSync(real, file)
          NodeFs.lchownSync(file, stranger, stranger)
          expect(yield* refusal({ directory: folder })).toContain(`${file} is a link that belongs to another user`)
        })
      )
    )
  })
})
