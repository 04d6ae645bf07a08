/** `scopes`: the scopes that endpoints need, from the endpoint table. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as Effect from "effect/Effect"
import { nearest } from "../nearest.ts"
import * as Output from "../output.ts"
import { Refused } from "../refused.ts"
import { command, shown } from "../shown.ts"
import * as Table from "../table.ts"

export interface Input {
  readonly endpoints: ReadonlyArray<string>
}

const isName = (text: string): text is Endpoint.Name => Object.hasOwn(Endpoint.table, text)

// As the table writes it, or as it is called: GET /v2/zaps/12?limit=5.
const endpointOf = (text: string): Endpoint.Name | undefined => {
  const [method = "", target = "", ...rest] = text.trim().split(/\s+/)
  const name = `${method.toUpperCase()} ${target}`
  if (rest.length > 0) return undefined
  return isName(name) ? name : Endpoint.match(method.toUpperCase(), target.split("?", 1)[0] ?? "")
}

const modes = { User: "user", App: "app", ClientId: "client id" } as const

const rows = Endpoint.names.map((name) => {
  const { modes, scopes, whiteLabelOnly = false } = Endpoint.requirement(name)
  return { endpoint: name, credentials: modes, scopes, whiteLabelOnly }
})

const words = () =>
  Table.format([
    { cells: ["ENDPOINT", "CREDENTIAL", "SCOPE (ANY ONE)"] },
    ...rows.map(({ credentials, endpoint, scopes, whiteLabelOnly }) => {
      const taken = credentials.map((mode) => (whiteLabelOnly ? "White Label user" : modes[mode])).join(" or ")
      return { cells: [endpoint, taken || "not documented", scopes.join(", ")] }
    })
  ])

const list = Effect.flatMap(Output.Json, (json) =>
  Output.print(json ? rows.map((row) => JSON.stringify(row)).join("\n") : words())
)

const unknown = (text: string) => {
  const near = nearest(text.trim(), Endpoint.names)
  const isMethod = /^(GET|POST|PUT|PATCH|DELETE)$/i.test(text)
  const hint = isMethod
    ? ' Quote the method and the path together: "GET /v2/zaps".'
    : near === undefined
      ? ""
      : ` Did you mean ${shown(near)}?`
  return new Refused({
    why: "UnknownEndpoint",
    problem: `unknown endpoint: ${shown(text)}.${hint}`,
    run: command("scopes")
  })
}

export const scopes = Effect.fnUntraced(function* ({ endpoints }: Input) {
  if (endpoints.length === 0) return yield* list
  const found: Array<Endpoint.Name> = []
  for (const text of endpoints) {
    const name = endpointOf(text)
    if (name === undefined) return yield* unknown(text)
    const { modes } = Endpoint.requirement(name)
    if (modes.length > 0 && !modes.includes("User")) {
      const credential = modes.includes("App") ? "a token of the app itself" : "the client id only"
      yield* Output.note(`note: ${name} takes ${credential}. No user has to allow it.`)
    }
    if (Endpoint.requirement(name).whiteLabelOnly) {
      yield* Output.note(`note: by Zapier's documentation, ${name} works only for White Label users.`)
    }
    found.push(name)
  }
  const least = Endpoint.leastScopes(found.filter((name) => !isOfApp(name)))
  if (yield* Output.Json) return yield* Output.print(JSON.stringify(least))
  for (const scope of least) yield* Output.print(scope)
})

/** True if only the app itself may call it, so that a user need not allow its scopes. */
const isOfApp = (name: Endpoint.Name) => {
  const { modes } = Endpoint.requirement(name)
  return modes.length > 0 && modes.every((mode) => mode === "App")
}
