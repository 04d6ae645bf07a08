/** Where requests of browsers are noted: the network of `network.ts` sees only what the app sends. */
import * as Context from "effect/Context"
import type { Browsing } from "../ScenarioSeen.ts"

/** What the browser knows of a request, and then of its response. */
type Begun = Pick<Browsing, "method" | "path" | "isElsewhere">

/** Notes a request. Gives what notes its response; without a response, the request stays open. */
export type Note = (begun: Begun) => (answer: Pick<Browsing, "status" | "leadsTo" | "headers">) => void

export const CurrentNote = Context.Reference<Note>(
  "@zapier-workflow-auth/testing/scenario/internal/browsing/CurrentNote",
  { defaultValue: () => () => () => {} }
)
