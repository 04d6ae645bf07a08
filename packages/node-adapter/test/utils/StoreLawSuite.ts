/** The laws of all three stores, for a database, as it is and with its secrets encrypted. */
import { describe, it, layer } from "@effect/vitest"
import type { AppCredentialStore } from "@zapier-workflow-auth/core/store/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/store/AttemptStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import type { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import * as AppCredentialStoreLaws from "@zapier-workflow-auth/testing/AppCredentialStoreLaws"
import * as AttemptStoreLaws from "@zapier-workflow-auth/testing/AttemptStoreLaws"
import * as GrantStoreLaws from "@zapier-workflow-auth/testing/GrantStoreLaws"
import type { Law } from "@zapier-workflow-auth/testing/conformance/StoreLaw"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"

type All = GrantStore | AttemptStore | AppCredentialStore

type Stores<E> = Layer.Layer<All, E>

type Laws = ReadonlyArray<Law<All>>

const keys = KeyRing.layer([randomBytes(32).toString("base64")]).pipe(
  Layer.provide([Aead.layerWebCrypto, Digest.layerWebCrypto]),
  Layer.provide(SecureRandom.layerWebCrypto)
)

// What is there already, as a layer.
const opened = Layer.effectContext(Effect.context<All>())

/**
 * Registers the tests. The database is opened once, but for the laws that are about opening it.
 *
 * @param runs how many inputs each law is checked with
 */
export const describeLaws = <E>(name: string, stores: Stores<E>, runs: number) => {
  const encrypted = EncryptedStores.layer.pipe(Layer.provide([stores, keys]))
  for (const [kind, open] of [
    [name, stores],
    [`${name}, encrypted`, encrypted]
  ] as const) {
    const kinds: ReadonlyArray<readonly [string, Laws, Laws]> = [
      ["grants", GrantStoreLaws.all, GrantStoreLaws.persistent],
      ["consent attempts", AttemptStoreLaws.all, AttemptStoreLaws.persistent],
      ["app credentials", AppCredentialStoreLaws.all, AppCredentialStoreLaws.persistent]
    ]
    for (const [what, all, persistent] of kinds) {
      layer(open, { excludeTestServices: true })(`${kind}: a store of ${what}`, (it) => {
        for (const law of all) it.effect(law.name, () => law.check(opened, { runs }))
      })
      describe(`${kind}: a store of ${what}`, () => {
        for (const law of persistent) it.live(law.name, () => law.check(open, { runs }))
      })
    }
  }
}
