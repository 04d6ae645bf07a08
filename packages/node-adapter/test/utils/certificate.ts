/** Certificates made on the spot, for servers of tests. */
import { generateKeyPairSync, sign } from "node:crypto"

// The few parts of DER (X.690) that a certificate (RFC 5280) is made of.
const der = (tag: number, ...parts: ReadonlyArray<Uint8Array>): Buffer => {
  const content = Buffer.concat(parts)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...parts: ReadonlyArray<Uint8Array>) => der(0x30, ...parts)
const octets = (content: Uint8Array) => der(0x04, content)
const integer = (...bytes: ReadonlyArray<number>) => der(0x02, Buffer.from(bytes))
const objectId = (...bytes: ReadonlyArray<number>) => der(0x06, Buffer.from(bytes))
const utf8 = (text: string) => der(0x0c, Buffer.from(text))
const time = (at: Date) => der(0x18, Buffer.from(`${at.toISOString().replaceAll(/[-:T]/g, "").slice(0, 14)}Z`))

const ecdsaWithSha256 = sequence(objectId(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
const commonName = (name: string) => sequence(der(0x31, sequence(objectId(0x55, 0x04, 0x03), utf8(name))))

const day = 24 * 60 * 60 * 1000

/** How a certificate is to be. */
export interface Options {
  /** The host that it is for. Default: `localhost`. */
  readonly host?: string
  /** From when to when it is valid, in days from now. Default: since yesterday, until tomorrow. */
  readonly valid?: readonly [from: number, until: number]
}

/** A certificate that has signed itself, and its private key, as PEM. */
export const make = ({ host = "localhost", valid = [-1, 1] }: Options = {}) => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  // By the clock that TLS goes by. @effect-diagnostics-next-line globalDate:off
  const [notBefore, notAfter] = valid.map((days) => time(new Date(Date.now() + days * day)))
  const alternativeNames = sequence(der(0x82, Buffer.from(host)))
  const toBeSigned = sequence(
    der(0xa0, integer(2)),
    integer(1),
    ecdsaWithSha256,
    commonName(host),
    sequence(notBefore ?? Buffer.of(), notAfter ?? Buffer.of()),
    commonName(host),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(sequence(objectId(0x55, 0x1d, 0x11), octets(alternativeNames))))
  )
  const signature = der(0x03, Buffer.of(0), sign("sha256", toBeSigned, privateKey))
  const bytes = sequence(toBeSigned, ecdsaWithSha256, signature)
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${bytes.toString("base64")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" })
  }
}
