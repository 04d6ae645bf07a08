import { generateKeyPairSync } from "node:crypto"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as World from "../utils/CommandLineWorld.ts"

const issuer = "https://acme.example"
const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2_048 })
const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString()

const environment = {
  ZAPIER_WHITE_LABEL_ISSUER: issuer,
  ZAPIER_WHITE_LABEL_KEY: key.replaceAll("\n", String.raw`\n`),
  ZAPIER_WHITE_LABEL_KEY_ID: "k-1",
  ZAPIER_WHITE_LABEL_ALGORITHM: "RS256"
}

const make = Effect.fnUntraced(function* (more: { readonly [name: string]: string } = {}) {
  const world = yield* World.makeWith({ variables: { ...environment, ...more } })
  const jwk = { ...publicKey.export({ format: "jwk" }), kid: "k-1", alg: "RS256", use: "sig" }
  yield* world.fake.setWhiteLabel("acme", { issuer, jwks: { keys: [jwk as never] } })
  return world
})

const ofAda = ["token", "--white-label", "--subject", "ada", "--tenant", "acme"]

describe("token --white-label", () => {
  it.live("prints the token of the user of a tenant, and keeps it for the next time", () =>
    Effect.gen(function* () {
      const world = yield* make()
      const first = yield* world.run(ofAda)
      expect(first).toMatchObject({ code: 0, stderr: "" })
      expect(yield* world.run(ofAda)).toEqual(first)
      expect(first.stdout).toBe(`${(yield* world.fake.issued).at(-1)?.accessToken}\n`)
      expect(yield* world.tokenRequests).toEqual(["urn:ietf:params:oauth:grant-type:token-exchange"])
      const other = yield* world.run(["token", "--white-label", "--subject", "ada"], {
        ZAPIER_TENANT: "globex"
      })
      expect(other.code).toBe(0)
      expect(other.stdout).not.toBe(first.stdout)
    })
  )

  it.live("says what is missing, and never shows the key", () =>
    Effect.gen(function* () {
      const world = yield* make()
      const noTenant = yield* world.run(["token", "--white-label"])
      expect(noTenant).toMatchObject({ code: 1, stdout: "" })
      expect(noTenant.stderr).toContain("tenant: it is empty")
      const off = yield* (yield* World.make).run(ofAda)
      expect(off.stderr).toContain("ZAPIER_WHITE_LABEL_ISSUER: give the issuer that is registered with Zapier")
      const wrong = yield* (yield* make({ ZAPIER_WHITE_LABEL_ALGORITHM: "ES256" })).run(ofAda)
      expect(wrong.stderr).toContain("ZAPIER_WHITE_LABEL_KEY, ZAPIER_WHITE_LABEL_KEY_FILE: it is not a key for ES256")
      for (const { stderr } of [noTenant, off, wrong]) expect(stderr).not.toContain(key.split("\n")[2])
    })
  )
})

describe("doctor and White Label", () => {
  it.live("checks the key that signs, where there is one", () =>
    Effect.gen(function* () {
      const offline = ["doctor", "--offline"]
      const right = yield* (yield* make()).run(offline)
      expect(right.stdout).toContain(`White Label: issuer "${issuer}", and a key that can sign`)
      const wrong = yield* (yield* make({ ZAPIER_WHITE_LABEL_KEY: "nonsense" })).run(offline)
      expect(wrong.code).toBe(1)
      expect(wrong.stdout).toContain("White Label: signer.key: it is neither a JWK nor PEM")
      expect((yield* (yield* World.make).run(offline)).stdout).not.toContain("White Label")
    })
  )
})
