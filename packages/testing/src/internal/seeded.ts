/** Deterministic randomness from a seed, and a synchronous digest. */
import { sha256 } from "@noble/hashes/sha2.js"
import type * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"
import type { Random } from "effect/Random"

export interface Seeded {
  /** From 0 to 1, without 1. */
  readonly next: () => number
  /** A whole number from 0, less than `end`. */
  readonly below: (end: number) => number
  readonly chance: (probability: number) => boolean
  /** A waiting time for an event that happens once in `mean` on average, independent of the past. */
  readonly wait: (mean: number) => number
  readonly bytes: (size: number) => Uint8Array
}

const encoder = new TextEncoder()

/** The key derived from a seed. */
export type Key = readonly [number, number, number]

export const keyOf = (seed: string): Key => {
  const view = new DataView(sha256(encoder.encode(seed)).slice().buffer)
  return [view.getInt32(0), view.getInt32(4), view.getInt32(8)]
}

/** The generator sfc32: whole numbers of 32 bits. */
export const sfc32 =
  ([a, b, c]: Key, counter: number) =>
  (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return sum >>> 0
  }

/** A separate stream for each name. */
export const make = (seed: string, name: string): Seeded => {
  const draw = sfc32(keyOf(`${seed}\n${name}`), 1)
  const next = () => draw() / 2 ** 32
  return {
    next,
    below: (end) => Math.floor(next() * end),
    chance: (probability) => probability > 0 && next() < probability,
    wait: (mean) => -Math.log(1 - next()) * mean,
    bytes: (size) => Uint8Array.from({ length: size }, () => draw() & 0xff)
  }
}

/** Effect's randomness, used to jitter pauses. */
export const random = ({ next }: Seeded): typeof Random.Service => ({
  nextDoubleUnsafe: next,
  nextIntUnsafe: () =>
    Math.floor(next() * (Number.MAX_SAFE_INTEGER - Number.MIN_SAFE_INTEGER)) + Number.MIN_SAFE_INTEGER
})

export const secureRandom = (seeded: Seeded): SecureRandom.SecureRandom["Service"] => SecureRandom.make(seeded.bytes)

/** SHA-256, the only digest that the library uses. */
export const digest: Digest.Digest["Service"] = {
  digest: (_, data) => Effect.sync(() => sha256(data)),
  digestHex: (_, data) => Effect.sync(() => Hex.encode(sha256(data)))
}
