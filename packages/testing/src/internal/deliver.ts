/** Carries out what is to become of an answer. */
import * as Effect from "effect/Effect"
import type { FakeResponse } from "../FakeHttp.ts"
import type { Handled } from "../FakeOutcome.ts"

/** What platforms say of a connection that was closed or reset. */
export const codes = { Closed: "UND_ERR_SOCKET", Reset: "ECONNRESET" } as const

export interface Ways<A, E> {
  readonly answered: (response: FakeResponse) => Effect.Effect<A, E>
  readonly truncated: (response: FakeResponse, bytes: number) => Effect.Effect<A, E>
  readonly broken: (how: keyof typeof codes) => Effect.Effect<A, E>
}

export const isAtOnce = ({ delivery }: Pick<Handled, "delivery">): boolean =>
  delivery._tag === "Answered" ? delivery.delay === 0 : delivery._tag !== "Silent"

export const deliver = <A, E>(
  { delivery, response }: Pick<Handled, "delivery" | "response">,
  ways: Ways<A, E>
): Effect.Effect<A, E> => {
  switch (delivery._tag) {
    case "Answered": {
      const answered = ways.answered(response)
      return delivery.delay === 0 ? answered : Effect.delay(answered, delivery.delay)
    }
    case "Truncated":
      return ways.truncated(response, delivery.bytes)
    case "Closed":
    case "Reset":
      return ways.broken(delivery._tag)
    case "Silent":
      return Effect.never
  }
}
