/** The stages of `rotate-key` that change the key file: `keyFile.ts` in `internal` says what they are and why. */
import type { Key } from "@zapier-workflow-auth/core/store/GrantStore"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import * as Config from "effect/Config"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as EncryptionKey from "../../EncryptionKey.ts"
import * as KeyFile from "../../internal/keyFile.ts"
import * as PrivateFile from "../../internal/privateFile.ts"
import { oneLine } from "../../internal/terminalText.ts"
import * as Output from "../output.ts"
import type * as Flags from "../flags.ts"
import { Inventory } from "../inventory.ts"
import { Refused } from "../refused.ts"
import { grantName, stageCommand } from "./rotateKeyWords.ts"
import * as Storage from "../storage.ts"

const refuse = (problem: string) => new Refused({ problem })

const kind = EncryptionKey.kind

/** The text of the key file, whose keys are keys. */
const checked = Effect.fnUntraced(function* (path: string, text: string) {
  yield* KeyRing.make(KeyFile.keysOf(text), `${kind.setting} ${oneLine(path)}`)
  return text
})

const readFile = Effect.fnUntraced(function* (path: string) {
  const { read } = yield* PrivateFile.make
  return yield* checked(path, yield* read(kind, path))
})

// Of a text that was checked.
const idOf = (key: string | Redacted.Redacted) => Effect.map(KeyRing.idOf(key), Option.getOrThrow)

const fileOf = Effect.fnUntraced(function* (flags: Flags.Place, instead: string) {
  const keys = yield* Storage.keys(flags)
  return keys._tag === "File" ? keys.path : yield* refuse(instead)
})

const restart = "Next: restart every process that uses the file. Then run:"

export const begin = Effect.fnUntraced(
  function* (flags: Flags.Place) {
    const path = yield* fileOf(
      flags,
      "The keys come from ZAPIER_ENCRYPTION_KEYS: add a new one at its end (old,new; openssl rand -base64 32 makes one), and restart every process."
    )
    const { edit } = yield* PrivateFile.make
    const today = DateTime.formatIsoDateUtc(yield* DateTime.now)
    yield* edit(kind, path, (text) =>
      Effect.gen(function* () {
        yield* checked(path, text)
        if (KeyFile.stageOf(text) !== "Single") return text
        return KeyFile.begun(text, Redacted.value(yield* KeyRing.generate), today)
      })
    )
    const next = KeyFile.nextOf(yield* readFile(path))
    if (next === undefined) {
      return yield* refuse(
        `${oneLine(path)} holds older keys still, from a replacement that is not finished. Run:\n${stageCommand("finish", flags)}`
      )
    }
    yield* Output.print(
      `Key ${yield* idOf(next)} is in ${oneLine(path)}, and encrypts nothing yet. Keep a copy of it elsewhere.`
    )
    yield* Output.print(`${restart}\n${stageCommand("switch", flags)}`)
  },
  (effect) => Effect.provide(effect, EncryptionKey.crypto)
)

export const switchOver = Effect.fnUntraced(
  function* (flags: Flags.Place) {
    const path = yield* fileOf(
      flags,
      "The keys come from ZAPIER_ENCRYPTION_KEYS: put the new one first (new,old), and restart every process."
    )
    const { edit } = yield* PrivateFile.make
    yield* edit(kind, path, (text) => Effect.map(checked(path, text), KeyFile.switched))
    const text = yield* readFile(path)
    if (KeyFile.stageOf(text) === "Single") {
      return yield* refuse(`${oneLine(path)} holds one key, and no new one. Run:\n${stageCommand("begin", flags)}`)
    }
    const [current = ""] = KeyFile.keysOf(text)
    yield* Output.print(
      `Key ${yield* idOf(current)} is the first in ${oneLine(path)}: it encrypts from each process's next start on.`
    )
    yield* Output.print(`${restart}\n${stageCommand("reencrypt", flags)}`)
  },
  (effect) => Effect.provide(effect, EncryptionKey.crypto)
)

// How many grants are named.
const named = 5

const list = (grants: ReadonlyArray<Key>) =>
  grants.length > named ? `${grants.slice(0, named).map(grantName).join(", ")}, ...` : grants.map(grantName).join(", ")

/** Fails if something still needs one of these keys. */
const unneeded = Effect.fnUntraced(function* (keyIds: ReadonlyArray<string>, flags: Flags.Place) {
  const use = yield* Effect.provide(
    Inventory.use(({ needing }) => needing(keyIds, named + 1)),
    Storage.layerStores(flags)
  )
  if (use.grants.length > 0) {
    return yield* refuse(
      `Grants still need an older key: ${list(use.grants)}. Nothing was changed. Run:\n${stageCommand("reencrypt", flags)}`
    )
  }
  if (Option.isSome(use.attemptsUntil)) {
    const until = Option.map(DateTime.make(use.attemptsUntil.value), DateTime.formatIso)
    return yield* refuse(
      Option.match(until, {
        onNone: () =>
          "A consent in the database needs an older key, and has an end that no process has written. Nothing was changed. Find out who can write to the database, and remove its row from zapier_consent_attempts",
        onSome: (time) =>
          `Consents that were begun before the switch still need an older key. Nothing was changed. Run it again after ${time}`
      })
    )
  }
})

const finishFile = Effect.fnUntraced(function* (path: string, flags: Flags.Place) {
  const text = yield* readFile(path)
  const stage = KeyFile.stageOf(text)
  if (stage === "Single") return yield* Output.print(`${oneLine(path)} holds one key: there is none to drop.`)
  if (stage === "Begun") {
    return yield* refuse(`The new key in ${oneLine(path)} does not encrypt yet. Run:\n${stageCommand("switch", flags)}`)
  }
  const ids = yield* Effect.forEach(KeyFile.keysOf(text).slice(1), idOf)
  yield* unneeded(ids, flags)
  const { edit } = yield* PrivateFile.make
  yield* edit(kind, path, (now) =>
    now === text
      ? Effect.succeed(KeyFile.finished(text))
      : refuse(`${oneLine(path)} was changed meanwhile, and is left as it is. Run it again.`)
  )
  yield* Output.print(
    `Dropped from ${oneLine(path)}: ${ids.map((id) => `key ${id}`).join(", ")}. Nothing in the database needs it.`
  )
  yield* Output.print("Copies of the database from before the change do: keep the older key for as long as them.")
})

const finishEnvironment = Effect.fnUntraced(function* (flags: Flags.Place) {
  const variable = "ZAPIER_ENCRYPTION_KEYS"
  // Says what is wrong with them, if anything is.
  yield* Effect.provide(KeyRing.KeyRing, Storage.layerKeys({ _tag: "Environment" }))
  const keys = Redacted.value(yield* Effect.orDie(Config.Redacted(variable))).split(",")
  const [, ...older] = (yield* Effect.forEach(keys, (key) => KeyRing.idOf(key))).flatMap(Option.toArray)
  if (older.length === 0) return yield* Output.print(`${variable} holds one key: there is none to drop.`)
  yield* unneeded(older, flags)
  yield* Output.print(
    `Nothing in the database needs the older keys: leave the first alone in ${variable}, and restart every process.`
  )
})

export const finish = Effect.fnUntraced(
  function* (flags: Flags.Place) {
    const keys = yield* Storage.keys(flags)
    return yield* keys._tag === "File" ? finishFile(keys.path, flags) : finishEnvironment(flags)
  },
  (effect) => Effect.provide(effect, EncryptionKey.crypto)
)
