/** `scopes`: the least that endpoints need, off the endpoint table. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Effect from "effect/Effect"
import * as Output from "../output.ts"
import { Refused } from "../refused.ts"
import { shown } from "../shown.ts"
import * as Table from "../table.ts"

export interface Input {
  readonly endpoints: ReadonlyArray<string>
  readonly json: boolean
}

const isName = (text: string): text is Endpoint.Name => Object.hasOwn(Endpoint.table, text)

// As it is in the table, or as it is called: GET /v2/zaps/12?limit=5.
const endpointOf = (text: string): Endpoint.Name | undefined => {
  const [method = "", target = "", ...rest] = text.trim().split(/\s+/)
  const name = `${method.toUpperCase()} ${target}`
  if (rest.length > 0) return undefined
  return isName(name) ? name : Endpoint.match(method.toUpperCase(), target.split("?", 1)[0] ?? "")
}

const modes = { User: "user", App: "app", ClientId: "client id" } as const

const rows = Endpoint.names.map((name) => {
  const { modes, scopes } = Endpoint.requirement(name)
  return { endpoint: name, credentials: modes, scopes }
})

const list = (json: boolean) =>
  json
    ? Effect.forEach(rows, (row) => Output.print(JSON.stringify(row)), { discard: true })
    : Output.print(
        Table.format(
          ["ENDPOINT", "CREDENTIAL", "SCOPE (ANY ONE)"],
          rows.map(({ credentials, endpoint, scopes }) => [
            endpoint,
            credentials.map((mode) => modes[mode]).join(" or ") || "none stated",
            scopes.join(", ")
          ])
        )
      )

export const scopes = Effect.fnUntraced(function* ({ endpoints, json }: Input) {
  if (endpoints.length === 0) return yield* list(json)
  const found: Array<Endpoint.Name> = []
  for (const text of endpoints) {
    const name = endpointOf(text)
    if (name === undefined) {
      return yield* new Refused({
        problem: `${shown(text)} is no endpoint that is known. Give a method and a path, such as "GET /v2/zaps"; without any you get the list`
      })
    }
    const { modes } = Endpoint.requirement(name)
    if (modes.length > 0 && !modes.includes("User")) {
      yield* Output.note(
        `note: ${name} takes no user's grant: ${modes.includes("App") ? "the app calls it, with a token of its own" : "the client id is all it takes"}.`
      )
    }
    found.push(name)
  }
  const least = Endpoint.leastScopes(found.filter((name) => !isOfApp(name)))
  if (json) return yield* Output.print(JSON.stringify(least))
  for (const scope of least) yield* Output.print(scope)
})

/** Whether only the app itself reaches it: a user need not grant what it takes. */
const isOfApp = (name: Endpoint.Name) => {
  const { modes } = Endpoint.requirement(name)
  return modes.length > 0 && modes.every((mode) => mode === "App")
}
