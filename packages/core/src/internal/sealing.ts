/**
 * Encrypts a record as a whole, and tells whether a stored record is the one that was written there.
 *
 * A stored record has a `seal`: the text of the whole record, encrypted for its place, which is the kind of record and its
 * key. The rest of a stored record is for stores that search by it, with its secrets blanked. It is compared with what the
 * seal holds, so that no part of it can be changed.
 *
 * In the format before, a record had no seal. Each secret was encrypted by itself, and the rest was not authenticated.
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
  /** What its store is called in errors. */
  readonly store: string
  readonly name: string
  readonly codec: RecordCodec<Stored<A>>
  readonly keyParts: (key: Key) => ReadonlyArray<string>
  /** The place of a secret in the format before. If left out, records of that format are refused. */
  readonly oldParts?: (key: Key, record: A) => ReadonlyArray<string | number>
}

/** How records of a kind are encrypted and decrypted. */
export interface Sealing<Key, A> {
  /** A record as it is stored. A record that is sealed already is opened first. */
  readonly seal: (key: Key, record: Stored<A>) => Effect.Effect<Stored<A>, StoreError>
  /** The record that was stored. */
  readonly open: (key: Key, stored: Stored<A>) => Effect.Effect<Stored<A>, StoreError>
  /** The same. Secrets that are not encrypted are taken as they are, which trusts whoever wrote them. */
  readonly trust: (key: Key, stored: Stored<A>) => Effect.Effect<Stored<A>, StoreError>
}

const isSecret = (value: unknown): value is Secret => Redacted.isRedacted(value)

const isPlainObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && [Object.prototype, null].includes(Object.getPrototypeOf(value))

/** Replaces whatever is redacted, so that no secret that a record may have one day is forgotten. `field` is the path to it. */
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

// A release before, which looks here for a token, sees that it cannot read it.
const blank = Tokens.secret("zwa1.sealed")

const blanked = <A>(record: A): A => replaceSecrets(record, () => blank) as A

const sorted = (_: string, value: unknown): unknown =>
  isPlainObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value

/** All of a record but its seal and what its secrets are, as one text. */
const outline = <A>({ seal: _, ...record }: Stored<A>): string => JSON.stringify(blanked(record), sorted)

/**
 * A store as the library uses it. A record that comes with its seal was opened by nobody: encryption was left out, and what
 * looks like a token is none.
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
    // All secrets or none: a record is not half decrypted.
    return replaceSecrets(record, (secret, field) => decrypted.get(field) ?? secret) as Stored<A>
  })

  const trust = (key: Key, stored: Stored<A>) =>
    stored.seal === undefined ? openOld(key, stored, true) : unseal(key, stored, stored.seal)

  return {
    trust,
    open: (key, stored) => {
      if (stored.seal !== undefined) return unseal(key, stored, stored.seal)
      // Nothing authenticates a record that has neither a seal nor a secret.
      return secretsOf(stored).size === 0 ? refuse("NotEncrypted") : openOld(key, stored, false)
    },
    seal: Effect.fnUntraced(function* (key, given) {
      // What could not be decrypted must not look like a token after it is encrypted once more.
      const record = yield* trust(key, given)
      const seal = yield* ring.encrypt(Tokens.secret(codec.encode(record)), placeOf(key))
      return { ...blanked(record), seal }
    })
  }
}
