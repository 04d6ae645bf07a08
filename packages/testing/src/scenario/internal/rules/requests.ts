/** Rules about repeated requests. */
import * as Hex from "effect/encoding/Hex"
import type { Exchange } from "../../ScenarioHistory.ts"
import { endpointOf, first, type Rule } from "./rule.ts"

const bodyOf = ({ request }: Exchange) => Hex.encode(request?.body ?? new Uint8Array())

/**
 * A request that creates something is carried out once for one action of a user.
 *
 * @since 0.1.0
 */
export const doesOnce: Rule = {
  name: "Nothing is created twice",
  check: ({ exchanges, expected }) => {
    const done = new Set<string>()
    return first(exchanges, (exchange) => {
      const endpoint = endpointOf(exchange)
      const { actionId, isDone, line } = exchange
      if (actionId === undefined || !isDone || endpoint === undefined || !expected.once.includes(endpoint))
        return undefined
      const what = `${actionId} ${endpoint} ${exchange.url} ${bodyOf(exchange)}`
      if (done.has(what)) return `this was carried out twice for one action of a user: ${line}`
      done.add(what)
      return undefined
    })
  }
}

/**
 * An app that gets a `Retry-After` sends nothing again by itself before it is over.
 *
 * Source: RFC 9110, section 10.2.3.
 *
 * @since 0.1.0
 */
export const keepsRetryAfter: Rule = {
  name: "Retry-After is respected",
  check: ({ exchanges }) =>
    first(exchanges, (exchange, index) => {
      const refused = exchanges
        .slice(0, index)
        .findLast(
          ({ actionId, owner, request, retryAfter = 0 }) =>
            actionId !== undefined &&
            actionId === exchange.actionId &&
            owner === exchange.owner &&
            retryAfter > 0 &&
            request?.path === exchange.request?.path &&
            request?.method === exchange.request?.method
        )
      if (refused?.endedAt === undefined || refused.end !== "Responded") return undefined
      const early = refused.endedAt + (refused.retryAfter ?? 0) - exchange.sentAt
      return early > 0 ? `this was sent ${early} ms before Retry-After was over: ${exchange.line}` : undefined
    })
}

// The largest number of failures within a minute, for one action of a user.
const mostFailures = 10
const minute = 60_000

const failsInVain = ({ end, status = 0 }: Exchange) => end === "Lost" || status >= 400

/**
 * A failing request is repeated at most ten times within a minute for one action of a user.
 *
 * @since 0.1.0
 */
export const backsOff: Rule = {
  name: "Failing requests back off",
  check: ({ exchanges }) => {
    const failed = new Map<string, Array<number>>()
    return first(exchanges, (exchange) => {
      const { actionId, line, request, sentAt } = exchange
      if (actionId === undefined || request === undefined || !failsInVain(exchange)) return undefined
      const key = `${actionId} ${request.method} ${request.path}`
      const times = (failed.get(key) ?? []).filter((at) => sentAt - at < minute)
      failed.set(key, [...times, sentAt])
      return times.length < mostFailures ? undefined : `this failed more than 10 times within a minute: ${line}`
    })
  }
}
