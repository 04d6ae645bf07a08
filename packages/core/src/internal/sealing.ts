/**
 * Encrypts whole records, and verifies that a stored record is the one that was written there.
 *
 * The `seal` of a stored record is the text of the whole record, encrypted for its place: the kind of record and its key.
 * The other fields are there for stores that search by them, with secrets blanked. On reading they are compared with the
 * seal, so that no field can be changed.
 *
 * In the previous format, a record had no seal. Each secret was encrypted separately, and the rest was not authenticated.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Tokens from "../oauth/Tokens.ts"
import type { KeyRing, Place } from "../store/KeyRing.ts"
import type { RecordCodec } from "../store/RecordCodec.ts"
import type { StoreError, Stored, VersionedStore } from "../store/VersionedStore.ts"
import { DecryptionFailed } from "../ZapierAuthError.ts"

type Secret = typeof Tokens.Secret.Type

/** A kind of record. */
export interface Kind<Key, A> {
  /** The name of its store in errors. */
  readonly store: string
  readonly name: string
  readonly codec: RecordCodec<Stored<A>>
  readonly keyParts: (key: Key) => ReadonlyArray<string>
  /** The place of a secret in the previous format. If omitted, records of that format are refused. */
  readonly oldParts?: (key: Key, record: A) => ReadonlyArray<string | number>
}

/** Encrypts and decrypts the records of a kind. */
export interface Sealing<Key, A> {
  /** Encrypts a record for storage. A record that is already sealed is opened first. */
  readonly seal: (key: Key, record: Stored<A>) => Effect.Effect<Stored<A>, StoreError>
  /** Decrypts a stored record. */
  readonly open: (key: Key, stored: Stored<A>) => Effect.Effect<Stored<A>, StoreError>
  /** Like `open`, but accepts unencrypted secrets, which trusts whoever wrote them. */
  readonly trust: (key: Key, stored: Stored<A>) => Effect.Effect<Stored<A>, StoreError>
}

const isSecret = (value: unknown): value is Secret => Redacted.isRedacted(value)

const isPlainObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** Replaces every redacted value, including those of future fields. `field` is the path to it. */
const replaceSecrets = (value: unknown, replace: (secret: Secret, field: string) => unknown, field = ""): unknown => {
  if (isSecret(value)) return replace(value, field)
  if (Array.isArray(value)) return value.map((part, index) => replaceSecrets(part, replace, `${field}.${index}`))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, replaceSecrets(part, replace, `${field}.${name}`)])
  )
}

const secretsOf = (record: unknown): ReadonlyMap<string, Secret> => {
  const found = new Map<string, Secret>()
  replaceSecrets(record, (secret, field) => found.set(field, secret))
  return found
}

// An earlier release that looks here for a token sees that it cannot read it.
const blank = Tokens.secret("zwa1.sealed")

const blanked = <A>(record: A): A => replaceSecrets(record, () => blank) as A

const sorted = (_: string, value: unknown): unknown =>
  isPlainObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value

/** A record as one text, without its seal and the values of its secrets. */
const outline = <A>({ seal: _, ...record }: Stored<A>): string => JSON.stringify(blanked(record), sorted)

/**
 * Refuses records that still have their seal: encryption was not set up, and their blanked secrets are not tokens.
 */
export const refuseSealed = <Key, A>(
  name: string,
  store: VersionedStore<Key, Stored<A>>
): VersionedStore<Key, Stored<A>> => ({
  get: (key) =>
    Effect.tap(store.get(key), (found) =>
      Option.isSome(found) && found.value.value.seal !== undefined
        ? new DecryptionFailed({ store: name, problem: "UnknownKey", version: found.value.version })
        : Effect.void
    ),
  compareAndSet: (key, expected, value) => store.compareAndSet(key, expected, value),
  remove: (key, expected) => store.remove(key, expected)
})

export const make = <Key, A>(
  ring: KeyRing["Service"],
  { codec, keyParts, name, oldParts, store }: Kind<Key, A>
): Sealing<Key, A> => {
  const refuse = (problem: DecryptionFailed["problem"]) => new DecryptionFailed({ store, problem })

  const placeOf = (key: Key): Place => ({ store, parts: [`${name} record`, ...keyParts(key)] })

  const unseal = Effect.fnUntraced(function* (key: Key, stored: Stored<A>, seal: Secret) {
    const text = yield* ring.decrypt(seal, placeOf(key))
    const record = codec.decode(Redacted.value(text))
    if (Option.isNone(record) || outline(record.value) !== outline(stored)) return yield* refuse("Altered")
    return record.value
  })

  const openOld = Effect.fnUntraced(function* (key: Key, record: Stored<A>, isPlainTrusted: boolean) {
    const secrets = secretsOf(record)
    const decrypted = new Map<string, Secret>()
    for (const [field, secret] of secrets) {
      if (isPlainTrusted && ring.recognize(secret) === "Plain") continue
      if (oldParts === undefined) return yield* refuse("NotEncrypted")
      decrypted.set(field, yield* ring.decrypt(secret, { store, parts: [...oldParts(key, record), field] }))
    }
    // Decrypt all secrets or none.
    return replaceSecrets(record, (secret, field) => decrypted.get(field) ?? secret) as Stored<A>
  })

  const trust = (key: Key, stored: Stored<A>) =>
    stored.seal === undefined ? openOld(key, stored, true) : unseal(key, stored, stored.seal)

  return {
    trust,
    open: (key, stored) => {
      if (stored.seal !== undefined) return unseal(key, stored, stored.seal)
      // A record with neither a seal nor a secret is not authenticated by anything.
      return secretsOf(stored).size === 0 ? refuse("NotEncrypted") : openOld(key, stored, false)
    },
    seal: Effect.fnUntraced(function* (key, given) {
      // Open it first: an undecryptable secret must not look like a token after re-encryption.
      const record = yield* trust(key, given)
      const seal = yield* ring.encrypt(Tokens.secret(codec.encode(record)), placeOf(key))
      return { ...blanked(record), seal }
    })
  }
}
