import { describe, expect, it } from "@effect/vitest"
import { inspect } from "node:util"
import * as Arbitrary from "effect/Arbitrary"
import * as ConfigProvider from "effect/ConfigProvider"
import type { Aead } from "effect/crypto/Aead"
import type { Digest } from "effect/crypto/Digest"
import type { SecureRandom } from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as KeyRing from "../../src/store/KeyRing.ts"
import * as Tokens from "../../src/oauth/Tokens.ts"
import type { StoreError } from "../../src/store/VersionedStore.ts"
import { crypto, keyOf } from "../utils/Keys.ts"
import { awkward } from "../utils/StoreLaws.ts"

const place: KeyRing.Place = { store: "test store", parts: ["kind", "key", 1] }

const run = <A, E>(effect: Effect.Effect<A, E, Aead | Digest | SecureRandom>) => Effect.provide(effect, crypto)

const refusal = (keys: ReadonlyArray<string | Redacted.Redacted>) =>
  Effect.map(Effect.flip(KeyRing.make(keys)), (error) => {
    expect(error.reason._tag).toBe("InvalidConfig")
    return error.message
  })

const problemOf = (error: StoreError) => (error._tag === "DecryptionFailed" ? [error.problem, error.keyId] : error._tag)

const keyIdOf = (text: Redacted.Redacted) => Redacted.value(text).split(".")[1] ?? ""

describe("KeyRing: encrypt and decrypt", () => {
  it.effect.prop("preserves any secret", { text: awkward }, ({ text }) =>
    run(
      Effect.gen(function* () {
        const ring = yield* KeyRing.make([keyOf(1)])
        const secret = Tokens.secret(`${text}.`)
        const sealed = yield* ring.encrypt(secret, place)
        expect(Redacted.value(sealed)).toMatch(/^zwa1\.[0-9a-f]{8}\.[\w-]+$/)
        expect(Redacted.value(yield* ring.decrypt(sealed, place))).toBe(Redacted.value(secret))
        expect(ring.recognize(sealed)).toBe("Current")
        expect(ring.recognize(secret)).toBe("Plain")
      })
    )
  )

  it.effect("twice the same secret gives two texts", () =>
    run(
      Effect.gen(function* () {
        const ring = yield* KeyRing.make([keyOf(1)])
        const texts = yield* Effect.replicateEffect(ring.encrypt(Tokens.secret("secret"), place), 1_000)
        expect(new Set(texts.map(Redacted.value)).size).toBe(1_000)
      })
    )
  )

  it.effect("a text can be decrypted with the format and the key alone", () =>
    Effect.gen(function* () {
      const ring = yield* KeyRing.make([keyOf(1)])
      const [, , payload = ""] = Redacted.value(yield* ring.encrypt(Tokens.secret("secret"), place)).split(".")
      const bytes = new Uint8Array(Buffer.from(payload, "base64url"))
      const key = yield* Effect.promise(() =>
        globalThis.crypto.subtle.importKey("raw", Buffer.from(keyOf(1), "base64"), "AES-GCM", false, ["decrypt"])
      )
      const plain = yield* Effect.promise(() =>
        globalThis.crypto.subtle.decrypt(
          {
            name: "AES-GCM",
            iv: bytes.subarray(0, 12),
            additionalData: new TextEncoder().encode('["kind","key",1]')
          },
          key,
          bytes.subarray(12)
        )
      )
      expect(new TextDecoder().decode(plain)).toBe('"secret"')
    }).pipe(Effect.provide(crypto))
  )

  it.effect("a change of any bit of a text is refused", () =>
    run(
      Effect.gen(function* () {
        const ring = yield* KeyRing.make([keyOf(1), keyOf(2)])
        const sealed = Redacted.value(yield* ring.encrypt(Tokens.secret("secret-1"), place))
        for (let index = 0; index < sealed.length; index++) {
          for (let bit = 0; bit < 8; bit++) {
            const changed =
              sealed.slice(0, index) +
              String.fromCharCode(sealed.charCodeAt(index) ^ (1 << bit)) +
              sealed.slice(index + 1)
            const error = yield* Effect.flip(ring.decrypt(Tokens.secret(changed), place))
            expect(error._tag).toBe("DecryptionFailed")
          }
        }
      })
    )
  )

  it.effect("a change of the last character of a text is refused, also of bits in it that say nothing", () =>
    run(
      Effect.gen(function* () {
        const ring = yield* KeyRing.make([keyOf(1)])
        const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        // One, two and three bytes are at the end.
        for (const secret of ["secret", "secret-", "secret-1"]) {
          const sealed = Redacted.value(yield* ring.encrypt(Tokens.secret(secret), place))
          for (const character of alphabet) {
            if (sealed.endsWith(character)) continue
            const error = yield* Effect.flip(ring.decrypt(Tokens.secret(sealed.slice(0, -1) + character), place))
            expect(problemOf(error)).toContain("Altered")
          }
        }
      })
    )
  )

  it.effect("a text that is cut, longer, or of a later version is refused, and not taken for a token", () =>
    run(
      Effect.gen(function* () {
        const ring = yield* KeyRing.make([keyOf(1)])
        const sealed = Redacted.value(yield* ring.encrypt(Tokens.secret("secret-1"), place))
        const cut = Array.from({ length: sealed.length - 5 }, (_, index) => sealed.slice(0, index + 5))
        for (const text of [...cut, `${sealed}A`, `${sealed}=`, `${sealed}\n`, sealed.replace("zwa1", "zwa2")]) {
          expect(ring.recognize(Tokens.secret(text))).not.toBe("Plain")
          expect(problemOf(yield* Effect.flip(ring.decrypt(Tokens.secret(text), place)))).toContain("Altered")
        }
      })
    )
  )

  const Parts = Schema.Array(Schema.Union([Schema.String, Schema.Int])).check(Schema.isMaxLength(4))

  it.effect.prop("a text opens in its place and nowhere else", [Parts, Parts], ([here, there]) =>
    run(
      Effect.gen(function* () {
        const ring = yield* KeyRing.make([keyOf(1)])
        const sealed = yield* ring.encrypt(Tokens.secret("secret"), { store: "a", parts: here })
        const opened = yield* Effect.exit(ring.decrypt(sealed, { store: "b", parts: there }))
        expect(opened._tag).toBe(JSON.stringify(here) === JSON.stringify(there) ? "Success" : "Failure")
      })
    )
  )

  it.effect.prop(
    "two parts are not mistaken for two others of the same characters",
    { text: Arbitrary.map(awkward, (text) => `${text}ab`) },
    ({ text }) =>
      run(
        Effect.gen(function* () {
          const ring = yield* KeyRing.make([keyOf(1)])
          const at = (index: number) => ({ store: "a", parts: [text.slice(0, index), text.slice(index)] })
          const sealed = yield* ring.encrypt(Tokens.secret("secret"), at(1))
          expect(problemOf(yield* Effect.flip(ring.decrypt(sealed, at(2))))).toContain("Altered")
        })
      )
  )
})

describe("KeyRing: keys", () => {
  it.effect("the first encrypts, all decrypt, and others are named", () =>
    run(
      Effect.gen(function* () {
        const before = yield* KeyRing.make([keyOf(1)])
        const after = yield* KeyRing.make([keyOf(2), keyOf(1)])
        const old = yield* before.encrypt(Tokens.secret("secret"), place)
        const young = yield* after.encrypt(Tokens.secret("secret"), place)
        expect(keyIdOf(young)).not.toBe(keyIdOf(old))
        expect(Redacted.value(yield* after.decrypt(old, place))).toBe("secret")
        expect([after.recognize(old), after.recognize(young)]).toEqual(["Other", "Current"])
        expect(problemOf(yield* Effect.flip(before.decrypt(young, place)))).toEqual(["UnknownKey", keyIdOf(young)])
        expect(problemOf(yield* Effect.flip(before.decrypt(Tokens.secret("plain"), place)))).toEqual([
          "NotEncrypted",
          undefined
        ])
        const forged = Tokens.secret(Redacted.value(old).replace(keyIdOf(old), keyIdOf(young)))
        expect(problemOf(yield* Effect.flip(after.decrypt(forged, place)))).toEqual(["Altered", keyIdOf(young)])
      })
    )
  )

  it.effect("each of several older keys decrypts", () =>
    run(
      Effect.gen(function* () {
        const ring = yield* KeyRing.make([keyOf(4), keyOf(3), keyOf(2), keyOf(1)])
        for (const number of [1, 2, 3, 4]) {
          const one = yield* KeyRing.make([keyOf(number)])
          const sealed = yield* one.encrypt(Tokens.secret("secret"), place)
          expect(Redacted.value(yield* ring.decrypt(sealed, place))).toBe("secret")
          expect(ring.recognize(sealed)).toBe(number === 4 ? "Current" : "Other")
        }
      })
    )
  )

  it.effect("a key is the same in either alphabet, with or without padding, and with space around it", () =>
    run(
      Effect.gen(function* () {
        const text = Base64.encode(new Uint8Array(32).fill(0xfb))
        const url = text.replaceAll("+", "-").replaceAll("/", "_")
        expect(text).not.toBe(url)
        const sealed = yield* (yield* KeyRing.make([text])).encrypt(Tokens.secret("secret"), place)
        for (const same of [url, text.replace("=", ""), url.replace("=", ""), ` ${text}\n`, Redacted.make(text)]) {
          const ring = yield* KeyRing.make([same])
          expect(Redacted.value(yield* ring.decrypt(sealed, place))).toBe("secret")
        }
      })
    )
  )

  const pl4nted = "pl4nted+pl4nted+pl4nted+pl4nted+pl4nted+"

  it.effect.each([
    "",
    "secret",
    Base64.encode(new Uint8Array(31)),
    Base64.encode(new Uint8Array(33)),
    `${pl4nted}abcd`,
    // Not how 32 bytes are written.
    `${pl4nted}abd=`,
    `${keyOf(1)}=`,
    `${keyOf(1).slice(0, 20)}\n${keyOf(1).slice(20)}`
  ])("%j is no key, and does not show", (text) =>
    run(
      Effect.gen(function* () {
        const error = yield* Effect.flip(KeyRing.make([keyOf(1), text]))
        expect(error.message).toContain("key 2 of 2 is not 32 bytes in base64")
        expect(error.message).toContain("openssl rand -base64 32")
        expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain("pl4nted")
      })
    )
  )

  it.effect("a ring has at least one key, and each once", () =>
    run(
      Effect.gen(function* () {
        expect(yield* refusal([])).toContain("give at least one key")
        expect(yield* refusal([keyOf(1), keyOf(2), ` ${keyOf(1)}`])).toContain("key 3 of 3 appears twice")
      })
    )
  )

  it.effect("a new key is of 32 random bytes", () =>
    run(
      Effect.gen(function* () {
        const [first, second] = yield* Effect.all([KeyRing.generate, KeyRing.generate])
        expect(Redacted.value(first)).toMatch(/^[A-Za-z0-9+/]{43}=$/)
        expect(Redacted.value(first)).not.toBe(Redacted.value(second))
        yield* KeyRing.make([first, second])
      })
    )
  )

  it.effect("a key's id is the one in its ciphertexts, for any notation of the key", () =>
    run(
      Effect.gen(function* () {
        const ring = yield* KeyRing.make([keyOf(1)])
        const id = keyIdOf(yield* ring.encrypt(Tokens.secret("secret"), place))
        const written = [keyOf(1), ` ${keyOf(1)}\n`, keyOf(1).replace("=", ""), Redacted.make(keyOf(1))]
        for (const key of written) expect(yield* KeyRing.idOf(key)).toEqual(Option.some(id))
        expect(yield* KeyRing.idOf(keyOf(2))).not.toEqual(Option.some(id))
        for (const text of ["", "short", `${keyOf(1)}A`]) expect(yield* KeyRing.idOf(text)).toEqual(Option.none())
      })
    )
  )

  it.effect("a ring does not show its keys", () =>
    run(
      Effect.gen(function* () {
        const ring = yield* KeyRing.make([keyOf(1)])
        const sealed = yield* ring.encrypt(Tokens.secret("secret"), place)
        for (const value of [ring, sealed]) {
          const shown = inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true }) + JSON.stringify(value)
          expect(shown).not.toContain(keyOf(1))
          expect(shown).not.toContain("zwa1")
        }
      })
    )
  )
})

describe("KeyRing.layerConfig", () => {
  const configured = (env: Record<string, string>) =>
    Effect.provide(
      KeyRing.KeyRing,
      KeyRing.layerConfig.pipe(Layer.provide([crypto, ConfigProvider.layer(ConfigProvider.fromEnv({ env }))]))
    )

  it.effect("reads keys that are separated by commas, the first of which encrypts", () =>
    Effect.gen(function* () {
      const ring = yield* configured({ ZAPIER_ENCRYPTION_KEYS: ` ${keyOf(2)} , ${keyOf(1)},` })
      const old = yield* (yield* run(KeyRing.make([keyOf(1)]))).encrypt(Tokens.secret("secret"), place)
      const young = yield* (yield* run(KeyRing.make([keyOf(2)]))).encrypt(Tokens.secret("secret"), place)
      expect([ring.recognize(old), ring.recognize(young)]).toEqual(["Other", "Current"])
      expect(Redacted.value(yield* ring.decrypt(old, place))).toBe("secret")
    })
  )

  it.effect.each([{}, { ZAPIER_ENCRYPTION_KEYS: "" }, { ZAPIER_ENCRYPTION_KEYS: "pl4nted" }])("refuses %j", (env) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(configured(env))
      expect(error.reason._tag).toBe("InvalidConfig")
      expect(error.message).toMatch(/^ZAPIER_ENCRYPTION_KEYS: .*openssl rand -base64 32$/)
      expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain("pl4nted")
    })
  )
})
