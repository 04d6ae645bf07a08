import * as NodeFs from "node:fs"
import { dirname, join, relative } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as TrustedPath from "../../src/internal/trustedPath.ts"

const onWindows = process.platform === "win32"
const isRoot = process.geteuid?.() === 0

// The user "nobody", on most systems. It need not exist.
const stranger = 65534

/** A folder with `a/b/c` in it, and links to it. */
const withFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = NodeFs.realpathSync(yield* fs.makeTempDirectoryScoped({ prefix: "zapier-path-" }))
    NodeFs.mkdirSync(join(folder, "a", "b", "c"), { recursive: true })
    return yield* use(folder)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const problem = (path: string, missing: "Refuse" | "Allow" = "Refuse") =>
  Effect.map(Effect.flip(TrustedPath.resolve(path, missing)), (error) =>
    error._tag === "Distrusted" ? error.problem : `${error.cause.reason._tag} ${error.link ?? ""}`
  )

describe.skipIf(onWindows)("trustedPath", () => {
  it.effect("gives the path that the system does, over links that are relative, absolute, and in the middle", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        NodeFs.symlinkSync("../a/b", join(folder, "a", "relative"))
        NodeFs.symlinkSync(join(folder, "a", "relative"), join(folder, "absolute"))
        // The parent of where the link leads, not of the link.
        NodeFs.symlinkSync("absolute/../b", join(folder, "relative-up"))
        for (const path of ["", "a", "a/b/c", "a/relative/c", "absolute", "absolute/c", "relative-up/c", "a//b/"]) {
          const given = `${folder}/${path}`
          expect(yield* TrustedPath.resolve(given, "Refuse")).toBe(NodeFs.realpathSync.native(given))
        }
        expect(yield* TrustedPath.resolve("/", "Refuse")).toBe("/")
        const fromHere = relative(process.cwd(), join(folder, "a", "b"))
        expect(yield* TrustedPath.resolve(fromHere, "Refuse")).toBe(join(folder, "a", "b"))
      })
    )
  )

  it.effect("refuses what is not there, unless it is to be made", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        NodeFs.symlinkSync(join(folder, "a"), join(folder, "link"))
        expect(yield* problem(join(folder, "link", "x", "y"))).toContain("NotFound")
        expect(yield* TrustedPath.resolve(join(folder, "link", "x", "y"), "Allow")).toBe(join(folder, "a", "x", "y"))
        NodeFs.writeFileSync(join(folder, "file"), "")
        expect(yield* problem(join(folder, "file", "x"), "Allow")).toContain("BadResource")
      })
    )
  )

  it.effect("refuses a circle, and a link to nowhere, also where it is to be made", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const [one, other, nowhere] = ["one", "other", "nowhere"].map((name) => join(folder, name))
        NodeFs.symlinkSync(other ?? "", one ?? "")
        NodeFs.symlinkSync(one ?? "", other ?? "")
        NodeFs.symlinkSync("x", nowhere ?? "")
        for (const link of [one, other, nowhere]) {
          expect(yield* problem(join(link ?? "", "y"), "Allow")).toContain(` ${link}`)
        }
      })
    )
  )

  it.effect("refuses a folder that every user may write to, wherever it is on the way, and not a sticky one", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        NodeFs.symlinkSync(join(folder, "a", "b", "c"), join(folder, "link"))
        for (const open of [folder, join(folder, "a"), join(folder, "a", "b")]) {
          const mode = NodeFs.statSync(open).mode
          NodeFs.chmodSync(open, 0o777)
          for (const path of [join(folder, "a", "b", "c"), join(folder, "link")]) {
            expect(yield* problem(path)).toContain(`every user of this machine can write to ${open},`)
          }
          expect(yield* problem(join(open, "new"), "Allow")).toContain("can write to")
          NodeFs.chmodSync(open, 0o1777)
          yield* TrustedPath.resolve(join(folder, "link"), "Refuse")
          // The group is trusted.
          NodeFs.chmodSync(open, 0o775)
          yield* TrustedPath.resolve(join(folder, "link"), "Refuse")
          NodeFs.chmodSync(open, mode)
        }
        // What is at the end has rules of its own.
        NodeFs.chmodSync(join(folder, "a", "b", "c"), 0o777)
        yield* TrustedPath.resolve(join(folder, "link"), "Refuse")
      })
    )
  )

  it.effect.skipIf(!isRoot)("refuses another user's link, wherever it is on the way (only root can make one)", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const foreign = join(folder, "a", "foreign")
        NodeFs.symlinkSync(join(folder, "a", "b"), foreign)
        NodeFs.lchownSync(foreign, stranger, stranger)
        const own = join(folder, "own")
        NodeFs.symlinkSync(join(foreign, "c"), own)
        for (const path of [foreign, join(foreign, "c"), own, join(own, "new")]) {
          expect(yield* problem(path, "Allow")).toContain(`${foreign} is a link that belongs to another user`)
        }
        // Whoever is not root trusts root.
        NodeFs.lchownSync(foreign, 0, 0)
        for (const path of [folder, dirname(foreign)]) NodeFs.chmodSync(path, 0o755)
        process.seteuid?.(stranger)
        yield* Effect.addFinalizer(() => Effect.sync(() => process.seteuid?.(0)))
        expect(yield* TrustedPath.resolve(own, "Refuse")).toBe(join(folder, "a", "b", "c"))
      }).pipe(Effect.scoped)
    )
  )
})
