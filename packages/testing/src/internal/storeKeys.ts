/** Keys for the laws of stores. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type { Law } from "../StoreLaw.ts"
import { areApart, type Kind } from "./storeExpectations.ts"
import { awkward, long, lookalikes, splits } from "./storeRecords.ts"
import { law, type Port, type Watched } from "./storeTrial.ts"

type Keys<Key> = Pick<Kind<Key, never>, "keyOf" | "lookalikes" | "awkward">

type MakeKey<Key> = (first: string, second: string) => Key

/** Keys that are made of two texts. What is a check's own is at the beginning of the first. */
export const pairs = <Key>(make: MakeKey<Key>): Keys<Key> => ({
  keyOf: (place, name) => make(place, name),
  lookalikes: (place) => [
    ...lookalikes.map((text) => make(place, text)),
    ...lookalikes.map((text) => make(`${place}${text}~`, "")),
    ...lookalikes.map((text) => make(`${place}!${text}`, text))
  ],
  awkward: Arbitrary.map(
    awkward,
    (text) => (place) => splits(text).map(([first, second]) => make(`${place}${first}`, second))
  )
})

/** Keys of a thousand characters, in either text. */
export const longKeys = <S, Key, A, Raw, Store extends Watched<Key, A>>(
  port: Port<S, Key, Raw, Store>,
  kind: Kind<Key, A>,
  make: MakeKey<Key>
): Law<S> =>
  law(port, "keys of a thousand characters have a record each", ({ place, store }) =>
    areApart(kind, store, [
      ...long.map((text) => make(place, text)),
      ...long.map((text) => make(`${place}${text}`, "a"))
    ])
  )

// What a digest in base64url is made of.
const Digit = Schema.Literals(Array.from("aAbBzZ09-_"))

/** Keys that are digests in base64url. */
export const digests: Keys<string> = {
  keyOf: (place, name) => `${place}${name}`,
  lookalikes: (place) =>
    [
      "",
      "abc",
      "ABC",
      "Abc",
      "ab",
      "a-b",
      "a_b",
      "ab-",
      "ab_",
      "-ab",
      "_ab",
      "0",
      "00",
      "1",
      "1e0",
      "-",
      "_",
      "--",
      "__"
    ].map((text) => `${place}${text}`),
  awkward: Arbitrary.map(
    Arbitrary.schema(Schema.Array(Schema.Array(Digit).check(Schema.isMaxLength(6))).check(Schema.isMaxLength(12))),
    (texts) => (place) =>
      [
        ...new Set(texts.map((text) => text.join("")).flatMap((text) => [text, text.toUpperCase(), text.toLowerCase()]))
      ].map((text) => `${place}${text}`)
  )
}
