/** What can be read of the fake from outside, as JSON. */
import * as Effect from "effect/Effect"
import type { FakeZapier } from "../../FakeZapier.ts"
import type * as RequestLog from "../../RequestLog.ts"
import type * as Parse from "../parse.ts"
import * as View from "./view.ts"

type Reading = (zapier: FakeZapier["Service"], query: Parse.Parameters) => Effect.Effect<unknown>

const decoder = new TextDecoder()

const fromEntry = ({ at, fault, issued, request, status }: RequestLog.Entry) => ({
  at,
  method: request.method,
  path: request.path,
  query: request.query,
  headers: request.headers,
  body: decoder.decode(request.body),
  status,
  fault,
  issued
})

export const readings: ReadonlyMap<string, Reading> = new Map(
  Object.entries<Reading>({
    state: (zapier) => Effect.map(Effect.all([zapier.state, zapier.time]), ([state, time]) => View.all(state, time)),
    requests: (zapier) => Effect.map(zapier.requests, (entries) => entries.map(fromEntry)),
    issued: (zapier) => zapier.issued,
    lineage: (zapier, query) => zapier.lineage(query.get("token") ?? "")
  })
)
