/**
 * Encrypts the records of other stores: in memory, in a database, or your own.
 *
 * A record is encrypted as a whole, bound to its place: the kind of record, the client id, and the subject, scopes or
 * attempt. Fields that are not secret also stay readable beside it, so that a store can find grants by state and subject;
 * on reading they are compared with the encrypted ones. Someone who can write to the store but has no key therefore cannot
 * plant a record, change part of one, or move one to another place. Removing a record, or restoring an earlier one, goes
 * unnoticed.
 *
 * A grant that cannot be decrypted is never overwritten: `get` fails, so that there is no version to write with, and the
 * inner store refuses a write that expects no record. The error carries the record's version, with which `remove` works
 * without a key.
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

/** Adds the record's version to a decryption error. */
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
 * Encrypts the records of a grant store.
 *
 * A page is as strict as `get`: a grant that cannot be decrypted, or was altered, is listed in its `unreadable`, with the
 * same `DecryptionFailed`. The other grants are still read.
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
            // The store may have found it by a readable column that was altered.
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
        // WebCrypto works in the background: several at a time keep it busy.
        return Effect.map(Effect.forEach(entries, read, { concurrency: 32 }), (results) => ({
          entries: results.filter(Result.isSuccess).map(({ success }) => success),
          unreadable: [...unreadable, ...results.filter(Result.isFailure).map(({ failure }) => failure)],
          next
        }))
      })
  }
}

/**
 * Encrypts the records of an attempt store.
 *
 * @since 0.1.0
 */
export const attempts = (inner: AttemptStore["Service"], ring: Ring): AttemptStore["Service"] => ({
  ...wrap(
    inner,
    // Attempts in the previous format are refused: one without a secret cannot be told from a planted one.
    Sealing.make(ring, {
      store: "attempt store",
      name: "attempt",
      codec: RecordCodec.attempt,
      keyParts: (digest: string) => [digest]
    })
  ),
  // Readable subjects and states only decide which attempts are forgotten first.
  bySubject: (options) => inner.bySubject(options)
})

/**
 * Encrypts the records of a store of the app's own tokens.
 *
 * A record that cannot be decrypted counts as missing: the next token replaces it.
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
 * Encrypts the records of the three given stores. Provide those with `Layer.provide`, so that no other code can reach them.
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
 * Options of `reencrypt`.
 *
 * @since 0.1.0
 */
export interface ReencryptOptions {
  /** The client application that the grants belong to. */
  readonly clientId: string
  /**
   * True to encrypt grants that are still in plain. Use it only the first time, because it trusts whoever wrote them.
   * Default: false; such grants count as failed.
   */
  readonly includePlain?: boolean | undefined
  /** How many grants to read at a time. Default: 100. */
  readonly pageSize?: number | undefined
  /** Called for each grant that could not be re-encrypted, with the error. */
  readonly onFailure?: ((key: GrantKey, error: StoreError) => Effect.Effect<void>) | undefined
}

/**
 * The counts of a `reencrypt` run. Grants that were removed meanwhile are not counted.
 *
 * @since 0.1.0
 */
export interface ReencryptReport {
  readonly examined: number
  readonly rewritten: number
  /** Left alone, because they already use the current key and format. */
  readonly alreadyCurrent: number
  /** Could not be decrypted or written; each was passed to `onFailure`. */
  readonly failed: number
}

/**
 * Re-encrypts the grants of a client application by the current key. Afterwards no grant needs the older keys.
 *
 * Each grant is read as by `get`, so that planted records stay unchanged. Keep the older keys for two more hours, until all
 * consent attempts are gone; the app's own tokens renew themselves.
 *
 * The app may run meanwhile: a grant that it writes at the same time is read again. After a failure run it again; finished
 * grants are skipped. Fails with `StoreFailed`; a grant that cannot be decrypted is left alone and counted as failed.
 *
 * Pass the inner store, not one made by `grants` or `layer`.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
 * import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
 *
 * Effect.gen(function* () {
 *   const report = yield* EncryptedStores.reencrypt(yield* GrantStore, { clientId: "abc" })
 *   if (report.failed === 0) yield* Effect.log("The older keys are no longer needed")
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
