/**
 * Stores whose records are encrypted, around any others: in memory, in a database, or your own.
 *
 * A record is encrypted as a whole, for its place: the kind of record, the client id, and the subject, the scopes or the
 * attempt. What is not secret also stays readable beside it, so that a store can find grants by their state and subject,
 * and is compared with what was encrypted. So whoever can write to the store but has no key cannot plant a record, change
 * any part of one, or put one in the place of another. Not told is a record that was removed, or put back as it once was.
 *
 * A grant that cannot be decrypted is never overwritten: `get` fails, so that nobody has a version to write with, and a
 * write that expects no record is refused by the store inside. The failure has the record's version: `remove` needs that
 * and no key.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Sealing from "../internal/sealing.ts"
import * as AppCredential from "../machine/AppCredential.ts"
import { AppCredentialStore, type Key as AppCredentialKey } from "./AppCredentialStore.ts"
import { AttemptStore } from "./AttemptStore.ts"
import { type Grant, GrantStore, type Key as GrantKey, type Unreadable } from "./GrantStore.ts"
import { KeyRing } from "./KeyRing.ts"
import * as RecordCodec from "./RecordCodec.ts"
import type { StoreError, Stored, Versioned, VersionedStore } from "./VersionedStore.ts"
import { DecryptionFailed } from "../ZapierAuthError.ts"

type Ring = KeyRing["Service"]

/** Adds the version that the record has in the store. */
const tellVersion =
  (version: number) =>
  <A>(opened: Effect.Effect<A, StoreError>): Effect.Effect<A, StoreError> =>
    Effect.catchTag(
      opened,
      "DecryptionFailed",
      ({ keyId, problem, store }) =>
        new DecryptionFailed({ store, problem, ...(keyId === undefined ? {} : { keyId }), version })
    )

const grantSealing = (ring: Ring) =>
  Sealing.make(ring, {
    store: "grant store",
    name: "grant",
    codec: RecordCodec.grant,
    keyParts: ({ clientId, subject }: GrantKey) => [clientId, subject],
    oldParts: ({ clientId, subject }, { family, generation }) => ["grant", clientId, subject, family, generation]
  })

const wrap = <Key, A>(
  inner: VersionedStore<Key, Stored<A>>,
  { open, seal }: Sealing.Sealing<Key, A>
): VersionedStore<Key, Stored<A>> => ({
  get: (key) =>
    Effect.flatMap(inner.get(key), (found) =>
      Option.isNone(found)
        ? Effect.succeedNone
        : open(key, found.value.value).pipe(
            tellVersion(found.value.version),
            Effect.map((value) => Option.some({ ...found.value, value }))
          )
    ),
  compareAndSet: (key, expected, record) =>
    Effect.flatMap(seal(key, record), (sealed) => inner.compareAndSet(key, expected, sealed)),
  remove: (key, expected) => inner.remove(key, expected)
})

/**
 * A grant store that encrypts, around another one.
 *
 * A page is as strict as `get`: a grant that cannot be decrypted, or is not what was written, is in its `unreadable`, with
 * the same `DecryptionFailed`. The others are read all the same.
 *
 * @since 0.1.0
 */
export const grants = (inner: GrantStore["Service"], ring: Ring): GrantStore["Service"] => {
  const both = grantSealing(ring)
  const misplaced = new DecryptionFailed({ store: "grant store", problem: "Altered" })
  return {
    ...wrap(inner, both),
    page: (options) =>
      Effect.flatMap(inner.page(options), ({ entries, next, unreadable = [] }) => {
        const read = ({ grant, key }: (typeof entries)[number]) =>
          both.open(key, grant.value).pipe(
            // A store may find it by a column of its own, which somebody has changed.
            Effect.filterOrFail(
              ({ _tag }) => options.state === undefined || _tag === options.state,
              () => misplaced
            ),
            tellVersion(grant.version),
            Effect.mapBoth({
              onFailure: (error): Unreadable => ({ key, version: grant.version, error }),
              onSuccess: (value) => ({ key, grant: { ...grant, value } })
            }),
            Effect.result
          )
        // WebCrypto works aside: several at a time keep it busy.
        return Effect.map(Effect.forEach(entries, read, { concurrency: 32 }), (results) => ({
          entries: results.filter(Result.isSuccess).map(({ success }) => success),
          unreadable: [...unreadable, ...results.filter(Result.isFailure).map(({ failure }) => failure)],
          next
        }))
      })
  }
}

/**
 * An attempt store that encrypts, around another one.
 *
 * @since 0.1.0
 */
export const attempts = (inner: AttemptStore["Service"], ring: Ring): AttemptStore["Service"] => ({
  ...wrap(
    inner,
    // Those of the format before are refused: nothing tells one without a secret from one that was planted.
    Sealing.make(ring, {
      store: "attempt store",
      name: "attempt",
      codec: RecordCodec.attempt,
      keyParts: (digest: string) => [digest]
    })
  ),
  // What the store says of subjects and states only decides which attempts are forgotten first.
  bySubject: (options) => inner.bySubject(options)
})

/**
 * A store of the app's own tokens that encrypts, around another one.
 *
 * A record that cannot be decrypted counts as none: another token is simply asked for, and replaces it.
 *
 * @since 0.1.0
 */
export const appCredentials = (inner: AppCredentialStore["Service"], ring: Ring): AppCredentialStore["Service"] => {
  const both = Sealing.make(ring, {
    store: "app credential store",
    name: "app credential",
    codec: RecordCodec.appCredential,
    keyParts: ({ clientId, scopes }: AppCredentialKey) => [clientId, scopes],
    oldParts: ({ clientId, scopes }, record) => [
      "app credential",
      clientId,
      scopes,
      record._tag === "Absent" ? 0 : record.generation
    ]
  })
  return wrap(inner, {
    ...both,
    open: (key, record) =>
      Effect.catchTag(both.open(key, record), "DecryptionFailed", () => Effect.succeed(AppCredential.absent))
  })
}

/**
 * All three stores, encrypted, around those that the layer is provided with: give those by `Layer.provide`, and nobody else
 * can reach them.
 *
 * @example
 * ```ts
 * import * as Aead from "effect/crypto/Aead"
 * import * as Digest from "effect/crypto/Digest"
 * import * as SecureRandom from "effect/crypto/SecureRandom"
 * import * as Layer from "effect/Layer"
 * import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
 * import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
 * import * as MemoryStores from "@zapier-workflow-auth/core/store/MemoryStores"
 *
 * const keys = KeyRing.layerConfig.pipe(
 *   Layer.provide([Aead.layerWebCrypto, Digest.layerWebCrypto]),
 *   Layer.provide(SecureRandom.layerWebCrypto)
 * )
 *
 * EncryptedStores.layer.pipe(Layer.provide([MemoryStores.layer, keys]))
 * ```
 *
 * @since 0.1.0
 */
export const layer: Layer.Layer<
  GrantStore | AttemptStore | AppCredentialStore,
  never,
  KeyRing | GrantStore | AttemptStore | AppCredentialStore
> = Layer.fresh(
  Layer.mergeAll(
    Layer.effect(
      GrantStore,
      Effect.gen(function* () {
        return grants(yield* GrantStore, yield* KeyRing)
      })
    ),
    Layer.effect(
      AttemptStore,
      Effect.gen(function* () {
        return attempts(yield* AttemptStore, yield* KeyRing)
      })
    ),
    Layer.effect(
      AppCredentialStore,
      Effect.gen(function* () {
        return appCredentials(yield* AppCredentialStore, yield* KeyRing)
      })
    )
  )
)

/**
 * Which records to encrypt anew.
 *
 * @since 0.1.0
 */
export interface ReencryptOptions {
  /** Whose grants: those of this client application. */
  readonly clientId: string
  /**
   * Whether to encrypt what is not encrypted yet. Only for the first time, because it trusts whoever wrote it. Default: no,
   * and such grants count as failed.
   */
  readonly includePlain?: boolean | undefined
  /** How many grants to read at a time. Default: 100. */
  readonly pageSize?: number | undefined
  /** Is told of each grant that could not be encrypted anew, and why. */
  readonly onFailure?: ((key: GrantKey, error: StoreError) => Effect.Effect<void>) | undefined
}

/**
 * How many grants were looked at, and what came of it. Grants that were removed meanwhile do not count.
 *
 * @since 0.1.0
 */
export interface ReencryptReport {
  readonly examined: number
  readonly rewritten: number
  /** Those that were left alone, because they are as the current key encrypts them. */
  readonly alreadyCurrent: number
  /** Those that could not be decrypted or written; `onFailure` was told of each. */
  readonly failed: number
}

/**
 * Encrypts each grant of a client application by the current key, in the current format, that is not yet, after which grants
 * need the older keys no more. Each grant is read as `get` does, so that what somebody planted is left as it is. Consent attempts are gone after an hour or two, for which the older keys should be kept, and the app's own tokens
 * renew themselves.
 *
 * The app may run meanwhile: a grant that it writes at the same time is looked at again. After a failure run it again; what
 * is done is passed over. Fails with `StoreFailed`; a grant that cannot be decrypted is left as it is, and counted.
 *
 * The store is the one inside, not one that `grants` or `layer` made of it.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
 * import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
 *
 * Effect.gen(function* () {
 *   const report = yield* EncryptedStores.reencrypt(yield* GrantStore, { clientId: "abc" })
 *   if (report.failed === 0) yield* Effect.log("The older keys are needed no more")
 * })
 * ```
 *
 * @since 0.1.0
 */
export const reencrypt = Effect.fn("EncryptedStores.reencrypt")(function* (
  inner: GrantStore["Service"],
  { clientId, includePlain = false, onFailure = () => Effect.void, pageSize = 100 }: ReencryptOptions
) {
  const ring = yield* KeyRing
  const { open, seal, trust } = grantSealing(ring)
  const report = { examined: 0, rewritten: 0, alreadyCurrent: 0, failed: 0 }

  const one = Effect.fnUntraced(function* (key: GrantKey, seen: Versioned<Grant>) {
    let found = Option.some(seen)
    while (Option.isSome(found)) {
      const { value, version } = found.value
      const record = yield* tellVersion(version)((includePlain ? trust : open)(key, value))
      if (value.seal !== undefined && ring.recognize(value.seal) === "Current") return "alreadyCurrent"
      const sealed = yield* seal(key, record)
      if (yield* inner.compareAndSet(key, Option.some(version), sealed)) return "rewritten"
      found = yield* inner.get(key)
    }
    return undefined
  })

  let after: string | undefined
  do {
    const page = yield* inner.page({ clientId, after, limit: pageSize })
    for (const { grant, key } of page.entries) {
      const outcome = yield* one(key, grant).pipe(
        Effect.catchTag("DecryptionFailed", (error) => Effect.as(onFailure(key, error), "failed" as const))
      )
      if (outcome === undefined) continue
      report.examined += 1
      report[outcome] += 1
    }
    for (const { error, key } of page.unreadable ?? []) {
      yield* onFailure(key, error)
      report.examined += 1
      report.failed += 1
    }
    after = page.next
  } while (after !== undefined)
  const counted: ReencryptReport = report
  return counted
})
