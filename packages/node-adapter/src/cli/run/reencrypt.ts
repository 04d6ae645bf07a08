/** `rotate-key reencrypt`: encrypts every connection with the first key. */
import type { StoreError } from "@zapier-workflow-auth/core/store/VersionedStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import { GrantStore, type Key } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as EncryptionKey from "../../EncryptionKey.ts"
import * as KeyFile from "../../internal/keyFile.ts"
import * as PrivateFile from "../../internal/privateFile.ts"
import { oneLine } from "../../internal/terminalText.ts"
import * as Output from "../output.ts"
import type * as Flags from "../flags.ts"
import { Inventory } from "../inventory.ts"
import { Refused } from "../refused.ts"
import { shown } from "../shown.ts"
import * as Storage from "../storage.ts"
import { plural } from "../wrap.ts"
import { grantName, stageCommand } from "./rotateKeyWords.ts"

export interface Input extends Flags.Place {
  readonly clientId: Option.Option<string>
  readonly includePlain: boolean
}

interface Failure extends Key {
  readonly why: string
}

// A wrong key fails all of them, and a million lines help no reader.
const mostFailures = 100

// Milliseconds between two lines of progress.
const interval = 2_000

/** A store that reports its progress, if it has more than one page. */
const watched = (
  inner: GrantStore["Service"],
  clientId: string,
  total: number,
  note: (line: string) => Effect.Effect<void>
): GrantStore["Service"] => {
  let seen = 0
  let saidAt = Number.NEGATIVE_INFINITY
  return {
    ...inner,
    page: (options) =>
      Effect.tap(inner.page(options), ({ entries, next, unreadable = [] }) =>
        Effect.flatMap(Clock.currentTimeMillis, (now) => {
          seen += entries.length + unreadable.length
          if (next === undefined || now - saidAt < interval) return Effect.void
          saidAt = now
          return note(`${seen} of ${total} connections of ${shown(clientId)} done`)
        })
      )
  }
}

const add = (a: EncryptedStores.ReencryptReport, b: EncryptedStores.ReencryptReport) => ({
  examined: a.examined + b.examined,
  rewritten: a.rewritten + b.rewritten,
  alreadyCurrent: a.alreadyCurrent + b.alreadyCurrent,
  failed: a.failed + b.failed
})

const all = Effect.fnUntraced(function* ({ clientId, includePlain }: Input) {
  const inner = yield* GrantStore
  const inventory = yield* Inventory
  const stdio = yield* Stdio.Stdio
  const note = (line: string) => Effect.provideService(Output.note(line), Stdio.Stdio, stdio)
  const failures: Array<Failure> = []
  let plain = 0
  let report: EncryptedStores.ReencryptReport = { examined: 0, rewritten: 0, alreadyCurrent: 0, failed: 0 }
  const clientIds = Option.isSome(clientId) ? [clientId.value] : yield* inventory.clientIds
  for (const id of clientIds) {
    const store = watched(inner, id, yield* inventory.countGrants(id), note)
    const onFailure = (key: Key, error: StoreError) => {
      if (error._tag === "DecryptionFailed" && error.problem === "NotEncrypted") plain++
      if (failures.length >= mostFailures) return Effect.void
      failures.push({ ...key, why: error.message })
      return note(`failed: ${grantName(key)}: ${error.message}`)
    }
    report = add(report, yield* EncryptedStores.reencrypt(store, { clientId: id, includePlain, onFailure }))
  }
  if (includePlain) yield* inventory.forgetPlain
  return { report: { ...report, failures }, plain }
})

const words = ({ alreadyCurrent, examined, failed, rewritten }: EncryptedStores.ReencryptReport) =>
  `${plural(examined, "connection")}: ${rewritten} encrypted, ${alreadyCurrent} already done, ${failed} failed.`

/** Fails before the switch: a user who believes that it was done would lose the older key. */
const afterSwitch = Effect.fnUntraced(function* (path: string, input: Input) {
  const { read } = yield* PrivateFile.make
  const stage = KeyFile.stageOf(yield* read(EncryptionKey.kind, path))
  if (stage !== "Begun") return
  return yield* new Refused({
    why: "WrongStage",
    problem: `the new key in ${oneLine(path)} does not encrypt yet.`,
    run: stageCommand("switch", input)
  })
})

/** If some are encrypted, encryption was on, so a plain one was written without a key. */
const plainHint = (plain: number, areAll: boolean) =>
  areAll
    ? "None of them is encrypted. To turn encryption on, give --include-plain."
    : `${plain} of them are not encrypted, while others are: somebody without the key may have planted them. Find out who wrote them. --include-plain would trust them; "zapier-workflow-auth logout" removes one.`

export const reencrypt = Effect.fnUntraced(function* (input: Input) {
  if (!input.includePlain) yield* Storage.requireKey(input)
  const keys = yield* Storage.keys(input, input.includePlain)
  if (keys._tag === "File") yield* afterSwitch(keys.path, input)
  const { plain, report } = yield* all(input).pipe(
    Effect.provide([Storage.layerStores(input), Storage.layerKeys(keys)]),
    Effect.onInterrupt(() => Output.note("Interrupted. Nothing is lost. Run it again to continue."))
  )
  const next = stageCommand("finish", input)
  const then = report.failed > 0 ? "" : `\n\nThen remove the older keys, if nothing needs them:\n  ${next}`
  yield* Output.result(report, `${words(report)}${then}`)
  if (report.failed > 0) {
    const hint = plain === 0 ? "" : `\n${plainHint(plain, plain === report.examined)}`
    return yield* new Refused({
      why: "ReencryptFailed",
      problem: `${plural(report.failed, "connection")} could not be encrypted, and stayed unchanged. Keep the older keys until this is solved.${hint}`
    })
  }
})
