/**
 * Texts from a seed: letters and digits, like those of Django OAuth Toolkit.
 *
 * The texts of a grant identify it: the first letters of a code or a token contain, scrambled, its kind and its grant,
 * and the rest is drawn from them. So every code or token leads to its grant, without a list that grows with each
 * refresh; a forged text is detected by drawing it again.
 */
import { type Key, sfc32 } from "./seeded.ts"

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const letters = Array.from(alphabet, (letter) => letter.charCodeAt(0))

const base = alphabet.length

const warmUp = 15

// 62 to the power of 5 is less than 2 to the power of 32.
const lettersOfWord = 5

const blank = (length: number) => Array.from({ length }, () => 0)

// Draws the letters of a text from an index on. Restarts the generator for each text, because a digest for each would
// take most of the fake's time.
const fill = (text: Array<number>, from: number, key: Key, counter: number): string => {
  const draw = sfc32(key, counter)
  for (let round = 0; round < warmUp; round++) draw()
  for (let at = from; at < text.length;) {
    let word = draw()
    for (let i = 0; i < lettersOfWord && at < text.length; i++) {
      text[at++] = letters[word % base] ?? 0
      word = (word / base) >>> 0
    }
  }
  return String.fromCharCode(...text)
}

/** The text of a key and a counter. */
export const draw = (key: Key, counter: number, length: number): string => fill(blank(length), 0, key, counter)

// -----------------------------------------------------------------------------
// Texts of grants
// -----------------------------------------------------------------------------

const kinds = ["Code", "AccessToken", "RefreshToken"] as const

/** The identity of a text: its kind, its grant, and its serial number. */
export interface Name {
  readonly kind: (typeof kinds)[number]
  readonly grant: number
  readonly serial: number
}

const length = 30

// Enough letters for 32 bits.
const lettersOfNumber = 6

// A Feistel network: it is reversible, whatever the mixing does.
const rounds = 4

const mix = (word: number, key: number): number => {
  let mixed = Math.imul(word ^ key, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

const roundKey = (key: Key, round: number): number => (key[round % 3] ?? 0) + round

const putNumber = (text: Array<number>, from: number, value: number): void => {
  let rest = value >>> 0
  for (let i = 0; i < lettersOfNumber; i++) {
    text[from + i] = letters[rest % base] ?? 0
    rest = (rest / base) >>> 0
  }
}

const digits: Array<number> = []
for (const [digit, letter] of letters.entries()) digits[letter] = digit

const numberAt = (text: string, from: number): number => {
  let value = 0
  for (let i = lettersOfNumber - 1; i >= 0; i--) {
    value = value * base + (digits[text.charCodeAt(from + i)] ?? 0)
  }
  return value
}

/** The text of a name. */
export const write = (key: Key, { grant, kind, serial }: Name): string => {
  let left = grant
  let right = serial * kinds.length + kinds.indexOf(kind)
  for (let round = 0; round < rounds; round++) {
    const mixed = left ^ mix(right, roundKey(key, round))
    left = right
    right = mixed
  }
  const text = blank(length)
  putNumber(text, 0, left)
  putNumber(text, lettersOfNumber, right)
  return fill(text, 2 * lettersOfNumber, [key[0] ^ left, key[1] ^ right, key[2]], 0)
}

/** The name that a text claims; `write` verifies it. */
export const read = (key: Key, text: string): Name | undefined => {
  if (text.length !== length) return undefined
  let left = numberAt(text, 0) | 0
  let right = numberAt(text, lettersOfNumber) | 0
  for (let round = rounds - 1; round >= 0; round--) {
    const mixed = right ^ mix(left, roundKey(key, round))
    right = left
    left = mixed
  }
  const number = right >>> 0
  const kind = kinds[number % kinds.length] ?? "Code"
  return { kind, grant: left >>> 0, serial: Math.floor(number / kinds.length) }
}
