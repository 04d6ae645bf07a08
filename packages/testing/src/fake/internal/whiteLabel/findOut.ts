/** Finds out facts for the machine: fetches a partner's keys, and verifies signatures. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as FakeWhiteLabel from "../../FakeWhiteLabel.ts"

type Fetch = typeof globalThis.fetch

type Keys = ReadonlyArray<FakeWhiteLabel.Jwk>

const KeySet = Schema.Struct({ keys: Schema.Array(Schema.Unknown) })

const isKeySet = Schema.is(KeySet)

const isJwk = Schema.is(FakeWhiteLabel.Jwk)

const patience = "5 seconds"

// Keys of undocumented kinds are ignored.
const keysAt = (url: string, fetch: Fetch): Effect.Effect<Keys | undefined> =>
  Effect.tryPromise(async (signal): Promise<unknown> => {
    const response = await fetch(url, { headers: { accept: "application/json" }, redirect: "error", signal })
    return response.status === 200 ? response.json() : undefined
  }).pipe(
    Effect.timeout(patience),
    Effect.map((found) => (isKeySet(found) ? found.keys.filter(isJwk) : undefined)),
    Effect.option,
    Effect.map(Option.getOrUndefined)
  )

const isSigned = (jwt: string, key: FakeWhiteLabel.Jwk, algorithm: string): Effect.Effect<boolean> =>
  Effect.tryPromise(async () => {
    // Loaded on demand, because most programs have no White Label partner.
    const { compactVerify, importJWK } = await import("jose")
    await compactVerify(jwt, await importJWK({ ...key }, algorithm), { algorithms: [algorithm] })
  }).pipe(Effect.isSuccess)

/** Finds out a fact. Invalid keys and signatures are facts, not errors. */
export const findOut = (
  question: FakeWhiteLabel.Question,
  facts: FakeWhiteLabel.Facts,
  fetch: Fetch
): Effect.Effect<FakeWhiteLabel.Facts> => {
  if (question._tag === "Keys") {
    return Effect.map(keysAt(question.url, fetch), (fetched) => ({ ...facts, keys: { fetched } }))
  }
  const { algorithm, jwt, key } = question
  return Effect.map(isSigned(jwt, key, algorithm), (isValid) => ({ ...facts, signature: { key, isValid } }))
}
