/**
 * Stores whose secrets are encrypted, around any others: in memory, in a database, or your own.
 *
 * Every `Redacted` part of a record (access token, refresh token, code verifier) is replaced by a text that only a key of
 * the `KeyRing` opens. What is not secret stays as it is, so that a store can find grants by their state and subject.
 *
 * A text belongs to its place: the kind of record, the record's key, its family and generation, and the part of it. Whoever
 * can write to the store but has no key cannot give one user the tokens of another, nor put back an older token into a newer
 * record. What it does not tell is that a whole record was put back as it once was, or removed; and what is not encrypted
 * is not protected against changes.
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
import * as Redacted from "effect/Redacted"
import type * as AppCredential from "../machine/AppCredential.ts"
import { AppCredentialStore, type Key as AppCredentialKey } from "./AppCredentialStore.ts"
import { AttemptStore } from "./AttemptStore.ts"
import { type Grant, GrantStore, type Key as GrantKey } from "./GrantStore.ts"
import { KeyRing, type Place } from "./KeyRing.ts"
import type * as Tokens from "../oauth/Tokens.ts"
import type { Versioned, VersionedStore } from "./VersionedStore.ts"
import { DecryptionFailed, from, type ZapierAuthError } from "../ZapierAuthError.ts"

type Ring = KeyRing["Service"]

type Secret = typeof Tokens.Secret.Type

type Transform = (secret: Secret, field: string) => Effect.Effect<Secret, ZapierAuthError>

const isSecret = (value: unknown): value is Secret => Redacted.isRedacted(value)

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

// Whatever is redacted, so that no secret that a record may have one day is forgotten. `field` is the path to it.
const secretsOf = (value: unknown, field = ""): ReadonlyArray<readonly [field: string, secret: Secret]> => {
  if (isSecret(value)) return [[field, value]]
  return isObject(value) ? Object.entries(value).flatMap(([name, part]) => secretsOf(part, `${field}.${name}`)) : []
}

const replaceIn = (value: unknown, replaced: ReadonlyMap<string, Secret>, field = ""): unknown => {
  if (isSecret(value)) return replaced.get(field) ?? value
  // What holds no secret is left as it is: a duration or a date is more than its parts.
  if (!isObject(value) || secretsOf(value).length === 0) return value
  if (Array.isArray(value)) return value.map((part, index) => replaceIn(part, replaced, `${field}.${index}`))
  const parts = Object.entries(value).map(([name, part]) => [name, replaceIn(part, replaced, `${field}.${name}`)])
  return Object.assign(Object.create(Object.getPrototypeOf(value)), Object.fromEntries(parts))
}

// All secrets or none: a record is not half decrypted.
const mapSecrets = <A>(record: A, transform: Transform): Effect.Effect<A, ZapierAuthError> =>
  Effect.map(
    Effect.forEach(secretsOf(record), ([field, secret]) =>
      Effect.map(transform(secret, field), (mapped) => [field, mapped] as const)
    ),
    (replaced) => replaceIn(record, new Map(replaced)) as A
  )

/** How records of a kind are encrypted and decrypted. */
interface Sealing<Key, A> {
  readonly seal: (key: Key, record: A) => Effect.Effect<A, ZapierAuthError>
  readonly open: (key: Key, record: A) => Effect.Effect<A, ZapierAuthError>
}

const sealing = <Key, A>(
  ring: Ring,
  store: string,
  partsOf: (key: Key, record: A) => ReadonlyArray<string | number>
): Sealing<Key, A> => {
  const placeOf = (key: Key, record: A, field: string): Place => ({ store, parts: [...partsOf(key, record), field] })
  const decrypt = (key: Key, record: A): Transform => {
    return (secret, field) => ring.decrypt(secret, placeOf(key, record, field))
  }
  return {
    open: (key, record) => mapSecrets(record, decrypt(key, record)),
    seal: (key, record) =>
      mapSecrets(record, (secret, field) => {
        const place = placeOf(key, record, field)
        // A page gives what it cannot decrypt as it is stored. Encrypted once more it would look like a token.
        const plain = ring.recognize(secret) === "Plain" ? Effect.succeed(secret) : ring.decrypt(secret, place)
        return Effect.flatMap(plain, (_) => ring.encrypt(_, place))
      })
  }
}

/** The record, or another one if it cannot be decrypted. */
const unless = <A>(opened: Effect.Effect<A, ZapierAuthError>, otherwise: () => A): Effect.Effect<A, ZapierAuthError> =>
  Effect.catchReason(opened, "ZapierAuthError", "DecryptionFailed", () => Effect.sync(otherwise))

/** Adds the version that the record has in the store. */
const tellVersion =
  (version: number) =>
  <A>(opened: Effect.Effect<A, ZapierAuthError>): Effect.Effect<A, ZapierAuthError> =>
    Effect.catchReason(opened, "ZapierAuthError", "DecryptionFailed", ({ keyId, problem, store }) =>
      from(new DecryptionFailed({ store, problem, ...(keyId === undefined ? {} : { keyId }), version }))
    )

const grantSealing = (ring: Ring) =>
  sealing<GrantKey, Grant>(ring, "grant store", ({ clientId, subject }, { generation, family }) => [
    "grant",
    clientId,
    subject,
    family,
    generation
  ])

const wrap = <Key, A>(inner: VersionedStore<Key, A>, { open, seal }: Sealing<Key, A>): VersionedStore<Key, A> => ({
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
 * A record that cannot be decrypted does not keep a page from being read: it is there with its secrets as they are stored,
 * so that operators see each grant and its state. `get` tells what is wrong with it, with `DecryptionFailed`, and so does
 * an attempt to write it back.
 *
 * @since 0.1.0
 */
export const grants = (inner: GrantStore["Service"], ring: Ring): GrantStore["Service"] => {
  const both = grantSealing(ring)
  return {
    ...wrap(inner, both),
    page: (options) =>
      Effect.flatMap(inner.page(options), ({ entries, next }) =>
        Effect.map(
          Effect.forEach(
            entries,
            ({ grant, key }) =>
              Effect.map(
                unless(both.open(key, grant.value), () => grant.value),
                (value) => ({ key, grant: { ...grant, value } })
              ),
            // WebCrypto works aside: several at a time keep it busy.
            { concurrency: 32 }
          ),
          (readable) => ({ entries: readable, next })
        )
      )
  }
}

/**
 * An attempt store that encrypts, around another one.
 *
 * @since 0.1.0
 */
export const attempts = (inner: AttemptStore["Service"], ring: Ring): AttemptStore["Service"] =>
  wrap(
    inner,
    sealing(ring, "attempt store", (digest) => ["attempt", digest])
  )

// What is left of it is who waits, and who is asking.
const withoutToken = (record: AppCredential.State): AppCredential.State => {
  switch (record._tag) {
    case "Absent":
      return record
    case "Active":
      return { _tag: "Absent", ...(record.pause === undefined ? {} : { pause: record.pause }) }
    case "Requesting": {
      const { access: _, ...rest } = record
      return rest
    }
  }
}

/**
 * A store of the app's own tokens that encrypts, around another one.
 *
 * A token that cannot be decrypted counts as none: another one is simply asked for, and replaces it.
 *
 * @since 0.1.0
 */
export const appCredentials = (inner: AppCredentialStore["Service"], ring: Ring): AppCredentialStore["Service"] => {
  const both = sealing<AppCredentialKey, AppCredential.State>(
    ring,
    "app credential store",
    ({ clientId, scopes }, record) => [
      "app credential",
      clientId,
      scopes,
      record._tag === "Absent" ? 0 : record.generation
    ]
  )
  return wrap(inner, {
    ...both,
    open: (key, record) => unless(both.open(key, record), () => withoutToken(record))
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
> = Layer.mergeAll(
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
  readonly onFailure?: ((key: GrantKey, error: ZapierAuthError) => Effect.Effect<void>) | undefined
}

/**
 * How many grants were looked at, and what came of it. Grants that were removed meanwhile do not count.
 *
 * @since 0.1.0
 */
export interface ReencryptReport {
  readonly examined: number
  readonly rewritten: number
  /** Those that were left alone, because the current key encrypts them. */
  readonly alreadyCurrent: number
  /** Those that could not be decrypted or written; `onFailure` was told of each. */
  readonly failed: number
}

/**
 * Encrypts each grant of a client application by the current key that is not yet, after which grants need the older keys no
 * more. Consent attempts are gone after an hour or two, for which the older keys should be kept, and the app's own tokens
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
  const { seal } = grantSealing(ring)
  const report = { examined: 0, rewritten: 0, alreadyCurrent: 0, failed: 0 }

  const one = Effect.fnUntraced(function* (key: GrantKey, seen: Versioned<Grant>) {
    let found = Option.some(seen)
    while (Option.isSome(found)) {
      const { value, version } = found.value
      const kinds = new Set(secretsOf(value).map(([, secret]) => ring.recognize(secret)))
      if (!kinds.has("Other") && !kinds.has("Plain")) return "alreadyCurrent"
      if (kinds.has("Plain") && !includePlain) {
        return yield* from(new DecryptionFailed({ store: "grant store", problem: "NotEncrypted", version }))
      }
      const sealed = yield* tellVersion(version)(seal(key, value))
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
        Effect.catchReason("ZapierAuthError", "DecryptionFailed", (_, error) =>
          Effect.as(onFailure(key, error), "failed" as const)
        )
      )
      if (outcome === undefined) continue
      report.examined += 1
      report[outcome] += 1
    }
    after = page.next
  } while (after !== undefined)
  const counted: ReencryptReport = report
  return counted
})
