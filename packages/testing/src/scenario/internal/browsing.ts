/** Notes browsers' requests: `network.ts` sees only what the app sends. */
import * as Context from "effect/Context"
import type { Browsing } from "../ScenarioHistory.ts"

/** The request, and then its response. */
type Begun = Pick<Browsing, "method" | "path" | "isElsewhere">

/** Notes a request, and returns a function that notes its response. Without a response, the request stays open. */
export type Note = (begun: Begun) => (response: Pick<Browsing, "status" | "leadsTo" | "headers">) => void

export const CurrentNote = Context.Reference<Note>(
  "@zapier-workflow-auth/testing/scenario/internal/browsing/CurrentNote",
  { defaultValue: () => () => () => {} }
)
