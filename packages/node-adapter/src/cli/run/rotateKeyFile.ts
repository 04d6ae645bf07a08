/** The stages of `rotate-key` that change the key file. `internal/keyFile.ts` explains them. */
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

const refuse = (problem: string, run?: string) =>
  new Refused({ why: "WrongStage", problem, ...(run === undefined ? {} : { run }) })

const kind = EncryptionKey.kind

/** The text of the key file, once its keys are known to be valid. */
const checked = Effect.fnUntraced(function* (path: string, text: string) {
  yield* KeyRing.make(KeyFile.keysOf(text), `${kind.setting} ${oneLine(path)}`)
  return text
})

const readFile = Effect.fnUntraced(function* (path: string) {
  const { read } = yield* PrivateFile.make
  return yield* checked(path, yield* read(kind, path))
})

// For keys of a text that was checked.
const idOf = (key: string | Redacted.Redacted) => Effect.map(KeyRing.idOf(key), Option.getOrThrow)

const fileOf = Effect.fnUntraced(function* (flags: Flags.Place, instead: string) {
  yield* Storage.requireKey(flags)
  const keys = yield* Storage.keys(flags)
  return keys._tag === "File" ? keys.path : yield* refuse(instead)
})

const restart = "Restart every process that uses the file. Then run:"

export const begin = Effect.fnUntraced(
  function* (flags: Flags.Place) {
    const path = yield* fileOf(
      flags,
      'the keys come from ZAPIER_ENCRYPTION_KEYS. Add a new one at its end (old,new), and restart every process. "openssl rand -base64 32" makes a key.'
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
        `${oneLine(path)} still holds older keys, from a replacement that was not finished.`,
        stageCommand("finish", flags)
      )
    }
    const id = yield* idOf(next)
    const then = stageCommand("switch", flags)
    yield* Output.result(
      { keyId: id, file: path, next: then },
      `Added key ${id} to ${oneLine(path)}. It encrypts nothing yet. Keep a copy of it elsewhere.\n\n${restart}\n  ${then}`
    )
  },
  (effect) => Effect.provide(effect, EncryptionKey.crypto)
)

export const switchOver = Effect.fnUntraced(
  function* (flags: Flags.Place) {
    const path = yield* fileOf(
      flags,
      "the keys come from ZAPIER_ENCRYPTION_KEYS. Put the new one first (new,old), and restart every process."
    )
    const { edit } = yield* PrivateFile.make
    yield* edit(kind, path, (text) => Effect.map(checked(path, text), KeyFile.switched))
    const text = yield* readFile(path)
    if (KeyFile.stageOf(text) === "Single") {
      return yield* refuse(`${oneLine(path)} holds one key, and no new one.`, stageCommand("begin", flags))
    }
    const [current = ""] = KeyFile.keysOf(text)
    const id = yield* idOf(current)
    const then = stageCommand("reencrypt", flags)
    yield* Output.result(
      { keyId: id, file: path, next: then },
      `Key ${id} is now the first in ${oneLine(path)}. Each process encrypts with it from its next start on.\n\n${restart}\n  ${then}`
    )
  },
  (effect) => Effect.provide(effect, EncryptionKey.crypto)
)

// Connections that an error names.
const named = 5

const list = (grants: ReadonlyArray<Key>) =>
  grants.length > named ? `${grants.slice(0, named).map(grantName).join(", ")}, ...` : grants.map(grantName).join(", ")

/** Fails if a record still needs one of these keys. */
const unneeded = Effect.fnUntraced(function* (keyIds: ReadonlyArray<string>, flags: Flags.Place) {
  const use = yield* Effect.provide(
    Inventory.use(({ needing }) => needing(keyIds, named + 1)),
    Storage.layerStores(flags)
  )
  if (use.grants.length > 0) {
    return yield* refuse(
      `connections still need an older key: ${list(use.grants)}. Nothing was changed.`,
      stageCommand("reencrypt", flags)
    )
  }
  if (Option.isSome(use.attemptsUntil)) {
    const until = Option.map(DateTime.make(use.attemptsUntil.value), DateTime.formatIso)
    return yield* refuse(
      Option.match(until, {
        onNone: () =>
          "an unfinished login needs an older key, and its expiry is no time of this library. Nothing was changed. Find out who can write to the database, and remove its row from zapier_consent_attempts.",
        onSome: (time) =>
          `logins that began before the switch still need an older key. Nothing was changed. Run it again after ${time}.`
      })
    )
  }
})

const dropped = (file: string | null, keyIds: ReadonlyArray<string>, words: string) =>
  Output.result({ dropped: keyIds, file }, words)

const finishFile = Effect.fnUntraced(function* (path: string, flags: Flags.Place) {
  const text = yield* readFile(path)
  const stage = KeyFile.stageOf(text)
  if (stage === "Single") return yield* dropped(path, [], `${oneLine(path)} holds one key. There is none to drop.`)
  if (stage === "Begun") {
    return yield* refuse(`the new key in ${oneLine(path)} does not encrypt yet.`, stageCommand("switch", flags))
  }
  const ids = yield* Effect.forEach(KeyFile.keysOf(text).slice(1), idOf)
  yield* unneeded(ids, flags)
  const { edit } = yield* PrivateFile.make
  yield* edit(kind, path, (now) =>
    now === text
      ? Effect.succeed(KeyFile.finished(text))
      : refuse(`${oneLine(path)} was changed meanwhile. It was left as it is. Run it again.`)
  )
  yield* dropped(
    path,
    ids,
    `Dropped key ${ids.join(", ")} from ${oneLine(path)}. Nothing in the database needs it. Older copies of the database do: keep the key as long as them.`
  )
})

const finishEnvironment = Effect.fnUntraced(function* (flags: Flags.Place) {
  const variable = "ZAPIER_ENCRYPTION_KEYS"
  // Fails if they are not valid.
  yield* Effect.provide(KeyRing.KeyRing, Storage.layerKeys({ _tag: "Environment" }))
  const keys = Redacted.value(yield* Effect.orDie(Config.Redacted(variable))).split(",")
  const [, ...older] = (yield* Effect.forEach(keys, (key) => KeyRing.idOf(key))).flatMap(Option.toArray)
  if (older.length === 0) return yield* dropped(null, [], `${variable} holds one key. There is none to drop.`)
  yield* unneeded(older, flags)
  yield* dropped(
    null,
    [],
    `Nothing in the database needs the older keys. Leave only the first in ${variable}, and restart every process.`
  )
})

export const finish = Effect.fnUntraced(
  function* (flags: Flags.Place) {
    yield* Storage.requireKey(flags)
    const keys = yield* Storage.keys(flags)
    return yield* keys._tag === "File" ? finishFile(keys.path, flags) : finishEnvironment(flags)
  },
  (effect) => Effect.provide(effect, EncryptionKey.crypto)
)
