/** Arbitrary callbacks, URLs and queries, and the requirements for their results. */
import { inspect } from "node:util"
import * as AuthorizationCallback from "@zapier-workflow-auth/core/oauth/AuthorizationCallback"
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type { Chance } from "./chance.ts"
import { secret } from "./responses.ts"

type Pair = readonly [name: string, value: string]

const valueOf = (chance: Chance): string =>
  chance.oneOf<() => string>([
    () => `${secret}${chance.below(1_000_000)}`,
    () => `${secret}${chance.below(1_000_000)}`,
    () => `${secret}${chance.text(10)}`,
    () => "",
    () => `${secret}${"x".repeat(4_000 + chance.below(200))}`
  ])()

const pairsOf = (chance: Chance): ReadonlyArray<Pair> => {
  const state: Pair = ["state", valueOf(chance)]
  const code: Pair = ["code", valueOf(chance)]
  const error: Pair = ["error", chance.once(2) ? "access_denied" : valueOf(chance)]
  const other: Pair = [chance.text(5).replaceAll(/state|code|error/g, ""), chance.text(5)]
  return chance.oneOf<ReadonlyArray<Pair>>([
    [code, state],
    [code, state],
    [other, state, code],
    [error, state],
    [code],
    [state],
    [code, state, state],
    [code, error, state],
    []
  ])
}

const encoded = (pairs: ReadonlyArray<Pair>) =>
  new URLSearchParams(pairs.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()])).toString()

// Values that frameworks make from a query, and that untyped programs pass on.
const oddOf = (chance: Chance, value: string): unknown =>
  chance.oneOf<() => unknown>([
    () => value,
    () => [value],
    () => [value, value],
    () => [[value]],
    () => ({ a: value }),
    () => [{ a: value }],
    () => [],
    () => null,
    () => undefined,
    () => chance.below(100),
    () => true,
    () => () => value,
    () => Symbol(value),
    () => 5n,
    () => /code/,
    () => new Map([["code", value]])
  ])()

const recordOf = (chance: Chance, pairs: ReadonlyArray<Pair>, isOdd: boolean) => {
  const record: Record<string, unknown> = chance.once(2) ? {} : Object.create(null)
  for (const [name, value] of pairs) {
    const own = isOdd ? oddOf(chance, value) : name in record ? [record[name], value].flat() : value
    Object.defineProperty(record, name, { value: own, enumerable: true, configurable: true })
  }
  return record
}

const isPrintable = (text: string) => /^[ -~]{1,4096}$/.test(text)

const valuesOf = (pairs: ReadonlyArray<Pair>, name: string) =>
  pairs.flatMap(([other, value]) => (other === name ? [value] : []))

/** The result for a callback, and what is wrong with it, if anything. */
export const check = (chance: Chance): { readonly kind: string; readonly problem: string | undefined } => {
  const pairs = pairsOf(chance)
  const query = encoded(pairs)
  const at = chance.below(query.length + 1)
  // True if the input contains exactly these pairs.
  const [isFaithful, input] = chance.oneOf<() => readonly [boolean, unknown]>([
    () => [true, `https://app.example/callback?${query}`],
    () => [true, `/callback?${query}#${chance.text(4)}`],
    () => [true, `?${query}`],
    () => [true, new URL(`https://app.example/callback?${query}`)],
    () => [true, new URLSearchParams(query)],
    () => [true, recordOf(chance, pairs, false)],
    () => [false, recordOf(chance, pairs, true)],
    () => [false, `${query.slice(0, at)}${chance.text(4)}${query.slice(at)}`],
    () => [false, `${chance.text(6)}${query}`],
    () => [false, `?${chance.text(30)}`],
    () => [false, oddOf(chance, query)]
  ])()
  const parsed = AuthorizationCallback.parse(input as AuthorizationCallback.Input)
  // A request may have any path.
  Endpoint.match(chance.oneOf(["GET", "DELETE", chance.text(4)]), typeof input === "string" ? input : `/v2/${query}`)
  const wrong = () => {
    if ((inspect(parsed, { depth: 9, showHidden: true }) + JSON.stringify(parsed)).includes(secret)) {
      return "a result that shows a secret"
    }
    if (Result.isFailure(parsed)) {
      const error = ZapierAuthError.make(parsed.failure)
      if ((error.message + inspect(error, { depth: 9 })).includes(secret)) return "an error that shows a secret"
    }
    const [codes, errors, states] = [valuesOf(pairs, "code"), valuesOf(pairs, "error"), valuesOf(pairs, "state")]
    const isGood =
      states.length === 1 &&
      codes.length + errors.length === 1 &&
      [...states, ...codes, ...errors].every((value) => isPrintable(value.toWellFormed()))
    if (isFaithful && isGood !== Result.isSuccess(parsed)) {
      return isGood ? "a callback that is refused" : "a callback that is taken"
    }
    if (Result.isFailure(parsed)) return undefined
    const { success } = parsed
    const said = success._tag === "Code" ? [Redacted.value(success.code), Redacted.value(success.state)] : []
    if (!said.every(isPrintable)) return "a code or state that is not printable"
    return isFaithful && success._tag === "Code" && said.join() !== [...codes, ...states].join()
      ? "another code or state"
      : undefined
  }
  return { kind: Result.isFailure(parsed) ? "InvalidCallback" : success(parsed.success), problem: wrong() }
}

const success = ({ _tag }: AuthorizationCallback.Callback) => (_tag === "Code" ? "Code" : "AuthorizationError")
