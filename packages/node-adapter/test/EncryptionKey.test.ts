import { spawn } from "node:child_process"
import { execFileSync } from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { inspect } from "node:util"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { describe, expect, it } from "@effect/vitest"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
import * as Tokens from "@zapier-workflow-auth/core/oauth/Tokens"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as UserDirectories from "effect/persistence/UserDirectories"
import * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as EncryptionKey from "../src/EncryptionKey.ts"
import * as RecordedFileSystem from "./utils/RecordedFileSystem.ts"
import { withPowerFailures } from "./utils/PowerFailure.ts"

const isRoot = process.geteuid?.() === 0
const onWindows = process.platform === "win32"

// The user "nobody", on most systems. It need not exist.
const stranger = 65534

const withFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* use(yield* fs.makeTempDirectoryScoped({ prefix: "zapier-key-" }))
  }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, UserDirectories.layer, SecureRandom.layerWebCrypto]))

const ring = (layer: Layer.Layer<KeyRing.KeyRing, ZapierAuthError>) =>
  Effect.provide(KeyRing.KeyRing, Layer.fresh(layer))

const refusal = (layer: Layer.Layer<KeyRing.KeyRing, ZapierAuthError>) =>
  Effect.map(Effect.flip(ring(layer)), (error) => {
    expect(error.reason._tag).toBe("InvalidConfig")
    expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain("pl4nted")
    return error.message
  })

const mode = (path: string) => (NodeFs.statSync(path).mode & 0o777).toString(8)

const place = { store: "test store", parts: ["a"] }

/** Whether what one ring encrypts is what the other's current key would. */
const sameKey = (a: KeyRing.KeyRing["Service"], b: KeyRing.KeyRing["Service"]) =>
  Effect.map(a.encrypt(Tokens.secret("secret"), place), (sealed) => b.recognize(sealed) === "Current")

const keyOf = (number: number) => Buffer.alloc(32, number).toString("base64")

const grant: GrantStore.Grant = {
  _tag: "Active",
  family: "consent-1",
  generation: 1,
  tokens: { accessToken: Tokens.secret("access-1"), scopes: ["zap"], obtainedAt: 0, expiresAt: 36_000_000 },
  responseLost: false
}

describe("EncryptionKey.file", () => {
  it.effect.skipIf(onWindows)("is on the disk as a whole when it is given, folders included, or is not there", () =>
    withFolder((folder) =>
      withPowerFailures(({ left, torn }) =>
        Effect.gen(function* () {
          const path = yield* EncryptionKey.file({ directory: NodePath.join(folder, "a", "b") })
          expect(torn).toEqual([])
          expect(left(path)).toMatch(/^[A-Za-z0-9+/]{43}=\n$/)
          expect(left(path)).toBe(NodeFs.readFileSync(path, "utf8"))
        })
      )
    )
  )

  it.effect.skipIf(onWindows)(
    "is on the disk also for a process that found it, whose maker may not have come so far",
    () =>
      withFolder((folder) =>
        withPowerFailures(({ fs, left }) =>
          Effect.gen(function* () {
            const path = NodePath.join(folder, "auth.key")
            const file = yield* fs.open(path, { flag: "wx", mode: 0o600 })
            yield* file.writeAll(new TextEncoder().encode(`${keyOf(1)}\n`))
            yield* file.sync
            expect(left(path)).toBeUndefined()
            yield* EncryptionKey.file({ directory: folder })
            expect(left(path)).toBe(`${keyOf(1)}\n`)
          })
        )
      )
  )
})

describe("EncryptionKey.layerDefault", () => {
  it.effect("makes a key on first use, and has the same ever after", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const directory = NodePath.join(folder, "a", "b")
        const first = yield* ring(EncryptionKey.layerDefault({ directory }))
        const path = NodePath.join(directory, "auth.key")
        const text = NodeFs.readFileSync(path, "utf8")
        expect(text).toMatch(/^[A-Za-z0-9+/]{43}=\n$/)
        const second = yield* ring(EncryptionKey.layerDefault({ directory }))
        expect(yield* sameKey(first, second)).toBe(true)
        expect(NodeFs.readFileSync(path, "utf8")).toBe(text)
        expect(NodeFs.readdirSync(directory)).toEqual(["auth.key"])
        const other = yield* ring(EncryptionKey.layerDefault({ directory, name: "other.key" }))
        expect(yield* sameKey(first, other)).toBe(false)
        if (!onWindows) expect([mode(path), mode(directory)]).toEqual(["600", "700"])
      })
    )
  )

  it.effect("is in the user's data directory unless told otherwise", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const path = yield* EncryptionKey.file()
        expect(path).toBe(NodePath.join(NodeFs.realpathSync(folder), "zapier-workflow-auth", "auth.key"))
        expect(NodeFs.existsSync(path)).toBe(true)
      }).pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env: { XDG_DATA_HOME: folder } }))
      )
    )
  )

  it.effect("makes nothing when it is told not to", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const directory = NodePath.join(folder, "a")
        expect(yield* refusal(EncryptionKey.layerDefault({ directory, create: false }))).toContain("it does not exist")
        expect(NodeFs.readdirSync(folder)).toEqual([])
        const made = yield* ring(EncryptionKey.layerDefault({ directory }))
        const found = yield* ring(EncryptionKey.layerDefault({ directory, create: false }))
        expect(yield* sameKey(made, found)).toBe(true)
        NodeFs.rmSync(NodePath.join(directory, "auth.key"))
        expect(yield* refusal(EncryptionKey.layerDefault({ directory, create: false }))).toContain(
          "auth.key: it does not exist"
        )
        expect(NodeFs.readdirSync(directory)).toEqual([])
      })
    )
  )

  it.effect("makes one key when many come at once", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const rings = yield* Effect.replicateEffect(ring(EncryptionKey.layerDefault({ directory })), 30, {
          concurrency: "unbounded"
        })
        const [first] = rings
        for (const other of rings) expect(yield* sameKey(first ?? other, other)).toBe(true)
        expect(NodeFs.readdirSync(directory)).toEqual(["auth.key"])
      })
    )
  )

  it.effect("makes one key when several processes come at once", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const fixture = NodePath.join(import.meta.dirname, "fixtures", "encryptionKeyProcess.ts")
        const begin = NodePath.join(directory, "begin")
        const children = Array.from({ length: 3 }, () =>
          spawn(process.execPath, [fixture, directory, begin], { stdio: ["ignore", "pipe", "inherit"] })
        )
        const outputs = children.map(() => "")
        const ended = Effect.callback<void>((resume) => {
          let open = children.length
          for (const [index, child] of children.entries()) {
            child.stdout.on("data", (chunk: Buffer) => {
              outputs[index] += chunk.toString()
              // All wait for the file before they ask for the key.
              if (outputs.every((text) => text.startsWith("ready\n"))) NodeFs.writeFileSync(begin, "")
            })
            child.on("close", () => {
              // Should one not come so far, the others do not wait for ever.
              NodeFs.writeFileSync(begin, "")
              if (--open === 0) resume(Effect.void)
            })
          }
        })
        yield* ended
        const texts = outputs.map((text) => text.split("\n")[1] ?? "")
        const own = yield* ring(EncryptionKey.layerDefault({ directory }))
        for (const text of texts) {
          expect(Redacted.value(yield* own.decrypt(Tokens.secret(text), place))).toBe("secret")
        }
        expect(NodeFs.readdirSync(directory).toSorted()).toEqual(["auth.key", "begin"])
      })
    )
  )

  it.effect("says how to make the key where it cannot be made so, and leaves nothing behind", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const fs = yield* FileSystem.FileSystem
        const error = PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "link" })
        const without = { ...fs, link: () => Effect.fail(error) }
        const refused = yield* EncryptionKey.file({ directory }).pipe(
          Effect.provideService(FileSystem.FileSystem, without),
          Effect.flip
        )
        expect(refused.message).toContain(`openssl rand -base64 32 > '${NodePath.join(directory, "auth.key")}'`)
        expect(NodeFs.readdirSync(directory)).toEqual([])
      })
    )
  )

  it.effect.each(["", ".", "..", "a/b"])("refuses %j as a name", (name) =>
    withFolder((directory) =>
      Effect.gen(function* () {
        expect(yield* refusal(EncryptionKey.layerDefault({ directory, name }))).toContain("not a file name")
      })
    )
  )

  it.effect("replaces nothing that is there: what is no key is refused", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const path = NodePath.join(directory, "auth.key")
        for (const [text, problem] of [
          ["", "give at least one key"],
          ["\n \n", "give at least one key"],
          ["pl4nted\n", "key 1 of 1 is not 32 bytes"],
          [`${keyOf(1)}\npl4nted\n`, "key 2 of 2 is not 32 bytes"],
          ["pl4nted\n".repeat(10_000), "too long"]
        ] as const) {
          NodeFs.writeFileSync(path, text, { mode: 0o600 })
          const message = yield* refusal(EncryptionKey.layerDefault({ directory }))
          expect(message).toContain(problem)
          expect(message).toContain(path)
          expect(NodeFs.readFileSync(path, "utf8")).toBe(text)
        }
        NodeFs.rmSync(path)
        NodeFs.mkdirSync(path, { mode: 0o700 })
        expect(yield* refusal(EncryptionKey.layerDefault({ directory }))).toContain("is not a file")
        expect(NodeFs.readdirSync(directory)).toEqual(["auth.key"])
      })
    )
  )

  it.effect("encrypts what the stores hold", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const key = { clientId: "client-1", subject: "user-1" }
        const inner = yield* Layer.build(MemoryStores.layer)
        const stores = EncryptedStores.layer.pipe(
          Layer.provide([Layer.succeedContext(inner), EncryptionKey.layerDefault({ directory })])
        )
        const found = yield* Effect.gen(function* () {
          const grants = yield* GrantStore.GrantStore
          yield* grants.compareAndSet(key, Option.none(), grant)
          return Option.getOrThrow(yield* grants.get(key))
        }).pipe(Effect.provide(stores))
        expect(Redacted.value(found.value.tokens.accessToken)).toBe("access-1")
        const stored = yield* Effect.provide(
          Effect.flatMap(GrantStore.GrantStore, (grants) => grants.get(key)),
          inner
        )
        expect(Redacted.value(Option.getOrThrow(stored).value.tokens.accessToken)).toMatch(/^zwa1\./)
      })
    )
  )
})

describe("EncryptionKey.layerFile", () => {
  it.effect("reads one key a line, the first of which encrypts", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const write = (name: string, text: string) => {
          const path = NodePath.join(folder, name)
          NodeFs.writeFileSync(path, text, { mode: 0o600 })
          return ring(EncryptionKey.layerFile(path))
        }
        const old = yield* write("old", keyOf(1))
        const both = yield* write("both", `# Ours\r\n\r\n${keyOf(2)} # made today\r\n${keyOf(1)}\r\n`)
        const young = yield* write("new", `${keyOf(2)}\n`)
        expect(yield* sameKey(old, both)).toBe(false)
        expect(yield* sameKey(young, both)).toBe(true)
        const sealed = yield* old.encrypt(Tokens.secret("secret"), place)
        expect(Redacted.value(yield* both.decrypt(sealed, place))).toBe("secret")
      })
    )
  )

  it.effect("makes no file", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const path = NodePath.join(folder, "none.key")
        expect(yield* refusal(EncryptionKey.layerFile(path))).toContain(`cannot look at ${path}: it does not exist`)
        expect(NodeFs.readdirSync(folder)).toEqual([])
      })
    )
  )
})

describe("EncryptionKey.layerConfig", () => {
  const configured = (env: Record<string, string>) =>
    EncryptionKey.layerConfig.pipe(Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))

  it.effect("reads ZAPIER_ENCRYPTION_KEYS", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const path = NodePath.join(folder, "key")
        NodeFs.writeFileSync(path, keyOf(1), { mode: 0o600 })
        const own = yield* ring(configured({ ZAPIER_ENCRYPTION_KEYS: keyOf(1) }))
        expect(yield* sameKey(own, yield* ring(EncryptionKey.layerFile(path)))).toBe(true)
        expect(yield* refusal(configured({}))).toContain("ZAPIER_ENCRYPTION_KEYS")
        expect(yield* refusal(configured({ ZAPIER_ENCRYPTION_KEYS: "pl4nted" }))).toContain("openssl rand")
      })
    )
  )
})

describe("EncryptionKey.file", () => {
  it.effect("has a new key on the disk before its name, and the name before anybody is given the key", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const { fs, steps } = yield* RecordedFileSystem.make
        const key = Effect.provideService(EncryptionKey.file({ directory }), FileSystem.FileSystem, fs)
        yield* Effect.provide(key, EncryptionKey.crypto)
        const folder = `sync ${NodePath.basename(directory)}`
        const isNew = expect.stringMatching(/^(write|sync) auth\.key\..*\.new$/)
        expect(steps).toEqual([isNew, isNew, expect.stringMatching(/^link .*\.new auth\.key$/), folder])
        expect(steps.map((step) => step.split(" ")[0])).toEqual(["write", "sync", "link", "sync"])
        // Whoever made it may not have come so far.
        yield* Effect.provide(key, EncryptionKey.crypto)
        expect(steps.slice(4)).toEqual([folder])
      })
    )
  )
})

describe.skipIf(onWindows)("EncryptionKey, permissions", () => {
  it.effect.each([0o640, 0o604, 0o620, 0o602, 0o666, 0o444])(
    "refuses a file of mode %o, and says what to run",
    (bits) =>
      withFolder((directory) =>
        Effect.gen(function* () {
          const path = yield* EncryptionKey.file({ directory })
          NodeFs.chmodSync(path, bits)
          for (const layer of [EncryptionKey.layerDefault({ directory }), EncryptionKey.layerFile(path)]) {
            const message = yield* refusal(layer)
            expect(message).toContain(`mode ${bits.toString(8)}`)
            expect(message).toContain(`chmod 600 '${path}'`)
            expect(message).toContain("the keys in it")
          }
          expect(mode(path)).toBe(bits.toString(8))
        })
      )
  )

  it.effect("takes a file that nobody may write, and none that its owner may not read", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const path = yield* EncryptionKey.file({ directory })
        NodeFs.chmodSync(path, 0o400)
        yield* ring(EncryptionKey.layerFile(path))
        NodeFs.chmodSync(path, 0o200)
        expect(yield* refusal(EncryptionKey.layerFile(path))).toContain("cannot be read by its owner")
      })
    )
  )

  it.effect("refuses a folder that is open to others, and makes no key in it", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        NodeFs.chmodSync(directory, 0o750)
        expect(yield* refusal(EncryptionKey.layerDefault({ directory }))).toContain(
          `${directory} is open to other users (mode 750). Set a dedicated folder`
        )
        expect(NodeFs.readdirSync(directory)).toEqual([])
      })
    )
  )

  it.effect.each(["/etc/passwd", "/etc/hosts", "/dev/full", "/dev/zero", "/"])("proposes no command for %s", (path) =>
    withFolder(() =>
      Effect.gen(function* () {
        const message = yield* refusal(EncryptionKey.layerFile(path))
        expect(message).toContain(path)
        expect(message).not.toMatch(/chmod|chown|Run:/)
      })
    )
  )

  it.effect("does not wait for a pipe that nobody writes to", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const pipe = NodePath.join(directory, "auth.key")
        execFileSync("sh", ["-c", `mkfifo -m 600 '${pipe}'`])
        for (const layer of [EncryptionKey.layerFile(pipe), EncryptionKey.layerDefault({ directory })]) {
          expect(yield* refusal(layer)).toContain(`${pipe} is not a file`)
        }
      })
    )
  )

  it.effect("refuses a file below a folder that every user may write to", () =>
    withFolder((folder) =>
      Effect.gen(function* () {
        const directory = NodePath.join(folder, "shared", "own")
        NodeFs.mkdirSync(directory, { recursive: true, mode: 0o700 })
        const path = yield* EncryptionKey.file({ directory })
        NodeFs.chmodSync(NodePath.dirname(directory), 0o777)
        expect(yield* refusal(EncryptionKey.layerFile(path))).toContain("every user of this machine can write to")
      })
    )
  )

  it.effect("follows the user's own links, and refuses one to nowhere", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const path = yield* EncryptionKey.file({ directory })
        const link = NodePath.join(directory, "link.key")
        NodeFs.symlinkSync(path, link)
        const own = yield* ring(EncryptionKey.layerDefault({ directory }))
        expect(yield* sameKey(own, yield* ring(EncryptionKey.layerFile(link)))).toBe(true)
        expect(yield* sameKey(own, yield* ring(EncryptionKey.layerDefault({ directory, name: "link.key" })))).toBe(true)
        NodeFs.rmSync(path)
        const dangling = EncryptionKey.layerDefault({ directory, name: "link.key" })
        expect(yield* refusal(dangling)).toContain("cannot follow the link")
        expect(NodeFs.readdirSync(directory)).toEqual(["link.key"])
      })
    )
  )

  it.effect.skipIf(!isRoot)("refuses the files and links of other users (only root can make them)", () =>
    withFolder((directory) =>
      Effect.gen(function* () {
        const path = yield* EncryptionKey.file({ directory })
        const link = NodePath.join(directory, "link.key")
        NodeFs.symlinkSync(path, link)
        NodeFs.lchownSync(link, stranger, stranger)
        expect(yield* refusal(EncryptionKey.layerFile(link))).toContain("is a link that belongs to another user")
        NodeFs.chownSync(path, stranger, stranger)
        expect(yield* refusal(EncryptionKey.layerDefault({ directory }))).toContain(`chown 0 '${path}'`)
      })
    )
  )
})
