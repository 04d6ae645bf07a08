/** The laws of all three stores, for a database, as it is and with its secrets encrypted. */
import { describe, it } from "@effect/vitest"
import type { AppCredentialStore } from "@zapier-workflow-auth/core/AppCredentialStore"
import type { AttemptStore } from "@zapier-workflow-auth/core/AttemptStore"
import * as EncryptedStores from "@zapier-workflow-auth/core/EncryptedStores"
import type { GrantStore } from "@zapier-workflow-auth/core/GrantStore"
import * as KeyRing from "@zapier-workflow-auth/core/KeyRing"
import * as AppCredentialStoreLaws from "@zapier-workflow-auth/testing/AppCredentialStoreLaws"
import * as AttemptStoreLaws from "@zapier-workflow-auth/testing/AttemptStoreLaws"
import * as GrantStoreLaws from "@zapier-workflow-auth/testing/GrantStoreLaws"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import { randomBytes } from "node:crypto"

type Stores<E> = Layer.Layer<GrantStore | AttemptStore | AppCredentialStore, E>

const keys = KeyRing.layer([randomBytes(32).toString("base64")]).pipe(
  Layer.provide([Aead.layerWebCrypto, Digest.layerWebCrypto]),
  Layer.provide(SecureRandom.layerWebCrypto)
)

const timeout = 60_000

/**
 * Registers the tests.
 *
 * @param runs how many inputs each law is checked with
 */
export const describeLaws = <E>(name: string, stores: Stores<E>, runs: number) => {
  const encrypted = EncryptedStores.layer.pipe(Layer.provide([stores, keys]))
  for (const [kind, layer] of [
    [name, stores],
    [`${name}, encrypted`, encrypted]
  ] as const) {
    describe(`${kind}: a store of grants`, { timeout }, () => {
      for (const law of [...GrantStoreLaws.all, ...GrantStoreLaws.persistent]) {
        it.live(law.name, () => law.check(layer, { runs }))
      }
    })
    describe(`${kind}: a store of consent attempts`, { timeout }, () => {
      for (const law of [...AttemptStoreLaws.all, ...AttemptStoreLaws.persistent]) {
        it.live(law.name, () => law.check(layer, { runs }))
      }
    })
    describe(`${kind}: a store of app credentials`, { timeout }, () => {
      for (const law of [...AppCredentialStoreLaws.all, ...AppCredentialStoreLaws.persistent]) {
        it.live(law.name, () => law.check(layer, { runs }))
      }
    })
  }
}
