import type * as ZapierPromise from "../../src/ZapierPromise.ts"

/** The value of a result, which has to have one. */
export const valueOf = <A, E extends { readonly message: string }>(result: ZapierPromise.Result<A, E>): A => {
  if (!result.ok) throw new Error(result.error.message)
  return result.value
}
