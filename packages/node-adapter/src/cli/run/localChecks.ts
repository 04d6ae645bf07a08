/** The checks of `doctor` that need no network. */
import { createServer } from "node:net"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import { KeyRing } from "@zapier-workflow-auth/core/store/KeyRing"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as UserDirectories from "effect/persistence/UserDirectories"
import * as Result from "effect/Result"
import * as Application from "../application.ts"
import * as ConfigFile from "../configFile.ts"
import type * as Flags from "../flags.ts"
import { Inventory } from "../inventory.ts"
import { shown } from "../shown.ts"
import * as Storage from "../storage.ts"
import { plural } from "../wrap.ts"
import { type Check, failed, type Finding, note, ok } from "./finding.ts"
import * as Loopback from "./loopback.ts"
import * as Variable from "../../internal/variable.ts"
import * as WhiteLabelLayer from "../../internal/whiteLabelLayer.ts"

const configuration: Check = () =>
  Effect.match(Effect.provide(ConfigFile.path, UserDirectories.layer), {
    onFailure: (error) => [failed("configuration", error.message)],
    onSuccess: (path) => [
      ok(
        "configuration",
        Option.isSome(path) ? `the environment and ${path.value}` : "the environment; there is no config.env"
      )
    ]
  })

const application = (flags: Flags.Connection) =>
  ClientApplication.ClientApplication.use(({ get }) => get).pipe(
    Effect.map(({ clientId }) => [ok("client application", `client id ${shown(clientId)} and a secret`)]),
    Effect.provide(Application.layer(flags)),
    Effect.catch((error) => Effect.succeed([failed("client application", error.message)]))
  )

const isTakenAt = (address: string, port: number) =>
  Effect.callback<boolean>((resume) => {
    const server = createServer()
    server.once("error", (error) => resume(Effect.succeed(!Loopback.isMissing(error))))
    server.listen(port, address, () => server.close(() => resume(Effect.succeed(false))))
  })

/** True if another program uses the port of a redirect URI. */
const isTaken = (uri: URL) =>
  Effect.map(
    Effect.forEach(Loopback.addressesOf(uri), (address) => isTakenAt(address, Number(uri.port || "80"))),
    (taken) => taken.includes(true)
  )

const redirectUris = Effect.fnUntraced(
  function* (_: Flags.Connection) {
    const findings: Array<Finding> = []
    const check = "redirect URI"
    for (const uri of yield* Application.redirectUris({})) {
      if (!ClientApplication.isRedirectUri(uri)) {
        findings.push(
          failed(
            check,
            `${shown(uri)} is not usable. Make it absolute, without a fragment, and https unless it is on this machine`
          )
        )
        continue
      }
      const url = new URL(uri)
      const taken = url.protocol === "http:" && (yield* isTaken(url))
      findings.push(
        taken
          ? note(
              check,
              `${shown(uri)}: another program uses this port, or it is not allowed. If it is not your app, login cannot use it`
            )
          : ok(check, shown(uri))
      )
    }
    return findings
  },
  Effect.catch((error: ZapierAuthError) => Effect.succeed([failed("redirect URI", error.message)]))
)

// Connections that are decrypted, to see that the key is the right one.
const limit = 100

const grants = Effect.fnUntraced(function* (clientId: string, ring: KeyRing["Service"]) {
  const store = yield* GrantStore
  const check = `connections of ${shown(clientId)}`
  const total = yield* Inventory.use(({ countGrants }) => countGrants(clientId))
  const { entries, unreadable = [] } = yield* store.page({ clientId, limit })
  const opened = EncryptedStores.grants(store, ring)
  const failures = unreadable.map(({ error }) => error.message)
  for (const { key } of entries) {
    yield* Effect.catch(opened.get(key), ({ message }) => Effect.sync(() => void failures.push(message)))
  }
  const [why] = failures
  const tried = entries.length + unreadable.length
  const reconnect = yield* store.page({ clientId, state: "ReconnectRequired", limit })
  const waiting = reconnect.entries.length
  return [
    why === undefined
      ? ok(
          check,
          `${plural(total, "connection")}; the keys decrypt ${tried === total ? (total === 1 ? "it" : "all") : `the ${tried} that were tried`}`
        )
      : failed(check, `${failures.length} of ${tried} cannot be read: ${why}`),
    ...(waiting === 0
      ? []
      : [
          note(
            check,
            `${reconnect.next === undefined ? plural(waiting, "user") : `more than ${waiting} users`} must connect again. List them with "zapier-workflow-auth status --state reconnect"`
          )
        ])
  ]
})

const storage = Effect.fnUntraced(
  function* (flags: Flags.Connection) {
    const fs = yield* FileSystem.FileSystem
    const { file, server } = yield* Storage.place(flags)
    if (file !== undefined && !(yield* Effect.orElseSucceed(fs.exists(file), () => false))) {
      return [note("database", `${file} does not exist yet. The first login creates it`)]
    }
    const usable = file === undefined ? `${server} is usable` : `${file} is usable, and closed to other users`
    return yield* Effect.gen(function* () {
      const inventory = yield* Inventory
      if (!(yield* inventory.isUsed)) {
        return [note("database", "it has no tables yet. The first login creates them, or the app when it starts")]
      }
      const clientIds = yield* inventory.clientIds
      const warnings = yield* inventory.warnings
      const found = [ok("database", usable), ...warnings.map((warning) => note("database", warning))]
      const ring = yield* Effect.result(
        Effect.flatMap(Storage.keys(flags), (keys) => Effect.provide(KeyRing, Storage.layerKeys(keys)))
      )
      if (Result.isFailure(ring)) return [...found, failed("encryption keys", ring.failure.message)]
      found.push(ok("encryption keys", "usable"))
      for (const clientId of clientIds) {
        found.push(...(yield* grants(clientId, ring.success)))
      }
      return found
    }).pipe(Effect.provide(Storage.layerReading(flags)))
  },
  Effect.catch((error) => Effect.succeed([failed("database", error.message)]))
)

const whiteLabel: Check = Effect.fnUntraced(
  function* () {
    const issuer = yield* Variable.text(WhiteLabelLayer.variable)
    if (Option.isNone(issuer)) return []
    // Its layer refuses a key that cannot sign.
    yield* Effect.scoped(Layer.build(WhiteLabelLayer.layer()))
    return [ok("White Label", `issuer ${shown(issuer.value)}, and a key that can sign`)]
  },
  Effect.catch((error) => Effect.succeed([failed("White Label", error.message)]))
)

export const all: ReadonlyArray<Check> = [configuration, application, redirectUris, whiteLabel, storage]
