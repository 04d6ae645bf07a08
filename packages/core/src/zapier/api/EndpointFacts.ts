/**
 * Annotates each endpoint's definition with its row of the endpoint table.
 *
 * The table is the only source of an endpoint's path, credentials and scopes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Endpoint from "../Endpoint.ts"
import * as Operation from "../Operation.ts"

/**
 * The name of an endpoint, and its row in the table.
 *
 * @since 0.1.0
 */
export interface Facts extends Endpoint.Requirement {
  readonly name: Endpoint.Name
  readonly operation: Operation.Name
}

/**
 * The annotation of each endpoint of `ZapierApi`.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import { EndpointFacts } from "@zapier-workflow-auth/core/zapier/api/EndpointFacts"
 * import { zaps } from "@zapier-workflow-auth/core/zapier/api/Zaps"
 *
 * const { modes, name, scopes } = Context.getUnsafe(zaps.endpoints.list.annotations, EndpointFacts)
 * name // => "GET /v2/zaps"
 * modes // => ["User"]
 * scopes // => ["zap", "zap:all", "zap:account:all"]
 * ```
 *
 * @since 0.1.0
 */
export class EndpointFacts extends Context.Service<EndpointFacts, Facts>()(
  "@zapier-workflow-auth/core/zapier/api/EndpointFacts"
) {}

type Template<Path extends string> = Path extends `${infer Start}{${infer P}}${infer Rest}`
  ? `${Start}:${P}${Template<Rest>}`
  : Path

type PathOf<N extends Operation.Name> =
  Operation.EndpointOf<N> extends `${string} ${infer Path extends `/${string}`}` ? Template<Path> : never

/**
 * Returns an operation's path in the syntax of `HttpApiEndpoint`: `/v2/zaps/:id`.
 *
 * @since 0.1.0
 */
export const path = <N extends Operation.Name>(operation: N): PathOf<N> =>
  Endpoint.parts(Operation.table[operation]).path.replaceAll(/\{(\w+)\}/g, ":$1") as PathOf<N>

/**
 * Makes the annotation of an operation.
 *
 * @since 0.1.0
 */
export const of = (operation: Operation.Name): Context.Context<EndpointFacts> => {
  const name = Operation.table[operation]
  return Context.make(EndpointFacts, { name, operation, ...Endpoint.requirement(name) })
}
