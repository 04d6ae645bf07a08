import * as NodeFs from "node:fs"
import { basename, dirname, join } from "node:path"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, expect, it } from "@effect/vitest"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as PlatformError from "effect/PlatformError"
import * as PrivateFile from "../../src/internal/privateFile.ts"
import * as RecordedFileSystem from "../utils/RecordedFileSystem.ts"
import { withPowerFailures } from "../utils/PowerFailure.ts"

const onWindows = process.platform === "win32"

const kind: PrivateFile.Kind = { type: "File", setting: "test file", holds: "secrets", needs: 0o400 }

const withFile = <A, E, R>(use: (path: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "zapier-private-" })
    const path = join(folder, "secret")
    NodeFs.writeFileSync(path, "before", { mode: 0o600 })
    return yield* use(path)
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

const edit = <E, R>(path: string, change: (text: string) => Effect.Effect<string, E, R>) =>
  Effect.flatMap(PrivateFile.make, (file) => file.edit(kind, path, change))

const append = (text: string) => (before: string) => Effect.succeed(before + text)

const names = (path: string) => NodeFs.readdirSync(join(path, ".."))

describe("privateFile.edit", () => {
  it.effect("replaces the file, which stays its owner's alone, and leaves nothing beside it", () =>
    withFile((path) =>
      Effect.gen(function* () {
        const before = NodeFs.statSync(path).ino
        yield* edit(path, append(" and after"))
        expect(NodeFs.readFileSync(path, "utf8")).toBe("before and after")
        // Another file under its name: nobody ever reads half of it.
        expect(NodeFs.statSync(path).ino).not.toBe(before)
        if (!onWindows) expect(NodeFs.statSync(path).mode & 0o777).toBe(0o600)
        expect(names(path)).toEqual(["secret"])
      })
    )
  )

  it.effect("has the new text on the disk before its name, and the name before it is done", () =>
    withFile((path) =>
      Effect.gen(function* () {
        const { fs, steps } = yield* RecordedFileSystem.make
        yield* Effect.provideService(edit(path, append(" and after")), FileSystem.FileSystem, fs)
        const folder = basename(dirname(path))
        expect(steps).toEqual(["write secret.new", "sync secret.new", "rename secret.new secret", `sync ${folder}`])
      })
    )
  )

  it.effect.skipIf(onWindows)(
    "leaves it as it was or as it is now when the power fails, and as it is now once it is done",
    () =>
      withFile((path) =>
        withPowerFailures(({ left, torn }) =>
          Effect.gen(function* () {
            yield* edit(path, append(" and after"))
            expect(torn).toEqual([])
            expect(left(path)).toBe("before and after")
          })
        )
      )
  )

  it.effect("does not touch it when there is nothing to change", () =>
    withFile((path) =>
      Effect.gen(function* () {
        const before = NodeFs.statSync(path).ino
        yield* edit(path, append(""))
        expect(NodeFs.statSync(path).ino).toBe(before)
        expect(names(path)).toEqual(["secret"])
      })
    )
  )

  it.effect("leaves it as it is when the change fails, or cannot be written", () =>
    withFile((path) =>
      Effect.gen(function* () {
        const no = ZapierAuthError.make(new InvalidConfig({ setting: "test", problem: "no" }))
        expect((yield* Effect.flip(edit(path, () => Effect.fail(no)))).message).toBe("test: no")
        const fs = yield* FileSystem.FileSystem
        const full = PlatformError.systemError({
          _tag: "Unknown",
          module: "FileSystem",
          method: "rename",
          cause: Object.assign(new Error("no space left on device"), { code: "ENOSPC" })
        })
        const error = yield* edit(path, append("x")).pipe(
          Effect.provideService(FileSystem.FileSystem, { ...fs, rename: () => Effect.fail(full) }),
          Effect.flip
        )
        expect(error.message).toContain(`cannot write ${path}.new: the disk is full. Free some space`)
        expect(NodeFs.readFileSync(path, "utf8")).toBe("before")
        expect(names(path)).toEqual(["secret"])
      })
    )
  )

  it.effect("refuses a second change at the same time, and what a kill left behind, and says what to run", () =>
    withFile((path) =>
      Effect.gen(function* () {
        const second = Effect.flip(edit(path, append(" second")))
        let refusal: string | undefined
        const { edit: first } = yield* PrivateFile.make
        yield* first(kind, path, (text) =>
          Effect.map(second, (error) => {
            refusal = error.message
            return `${text} first`
          })
        )
        expect(refusal).toContain(`rm '${path}.new'`)
        expect(NodeFs.readFileSync(path, "utf8")).toBe("before first")
        NodeFs.writeFileSync(`${path}.new`, "half a k", { mode: 0o600 })
        expect((yield* second).message).toContain(`rm '${path}.new'`)
        expect(NodeFs.readFileSync(`${path}.new`, "utf8")).toBe("half a k")
        NodeFs.rmSync(`${path}.new`)
        yield* edit(path, append(" third"))
        expect(NodeFs.readFileSync(path, "utf8")).toBe("before first third")
      })
    )
  )

  it.effect.skipIf(onWindows)("follows the user's own link, and leaves the link", () =>
    withFile((path) =>
      Effect.gen(function* () {
        const link = `${path}.link`
        NodeFs.symlinkSync(path, link)
        yield* edit(link, append(" and after"))
        expect(NodeFs.readFileSync(path, "utf8")).toBe("before and after")
        expect(NodeFs.lstatSync(link).isSymbolicLink()).toBe(true)
      })
    )
  )

  it.effect.skipIf(onWindows)("does not change what others can read", () =>
    withFile((path) =>
      Effect.gen(function* () {
        NodeFs.chmodSync(path, 0o644)
        expect((yield* Effect.flip(edit(path, append("x")))).message).toContain("chmod 600")
        expect(NodeFs.readFileSync(path, "utf8")).toBe("before")
        expect(names(path)).toEqual(["secret"])
      })
    )
  )
})
