/** A White Label partner: its registration with the fake, and the options with which it signs. */
import { generateKeyPairSync } from "node:crypto"
import * as ZapierWhiteLabel from "../../src/ZapierWhiteLabel.ts"

const issuer = "https://acme.example"

const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })

export const options = {
  issuer,
  key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  keyId: "k-1",
  algorithm: "ES256"
} as const

export const registration = {
  issuer,
  jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kty: "EC" as const, kid: "k-1", alg: "ES256", use: "sig" }] }
}

export const layer = ZapierWhiteLabel.layer(options)
