/** Requests for consent, and what the rules make of them. */
import { createHash } from "node:crypto"
import * as FakeHttp from "../../../src/fake/FakeHttp.ts"
import type { Chooser } from "./choose.ts"
import type { App, Code, Oracle } from "./oracle.ts"
import { scopes } from "./token.ts"

export interface Asked {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyArray<readonly [name: string, value: string]>
  readonly form: { readonly [name: string]: string }
  readonly verifier: string | undefined
  /** Whether it is a browser that asks, and of which page. */
  readonly headers: { readonly [name: string]: string }
}

export const users = ["ada@example.com", "bob@example.com"]

const digest = (verifier: string) => createHash("sha256").update(verifier).digest("base64url")

export const draw = (choose: Chooser, oracle: Oracle): Asked => {
  const app = choose.of(oracle.apps)
  const uris = oracle.apps.flatMap(({ redirectUris }) => redirectUris)
  const wrongUri = () =>
    choose.of([...uris, `${uris[0]}/`, "https://evil.example/", "javascript:alert(1)", choose.garbage()])
  const verifier = choose.rarely(5) ? "v".repeat(43) : undefined
  const method = choose.of(["S256", "plain"])
  const challenge = verifier === undefined ? undefined : method === "plain" ? verifier : digest(verifier)
  const query: Array<readonly [string, string | undefined]> = [
    ["response_type", choose.rarely(15) ? choose.of(["token", "", "code token"]) : "code"],
    ["client_id", choose.rarely(15) ? choose.garbage() : app.id],
    ["redirect_uri", choose.rarely(8) ? wrongUri() : choose.of(app.redirectUris)],
    ["scope", choose.rarely(15) ? choose.of(["", "nonsense", "zap nonsense"]) : choose.some(scopes).join(" ")],
    ["state", choose.often() ? choose.garbage() : "state"],
    ["response_mode", choose.rarely(20) ? choose.of(["query", "fragment"]) : undefined],
    ["code_challenge", challenge],
    ["code_challenge_method", challenge === undefined ? undefined : choose.rarely(20) ? "S512" : method]
  ]
  const given = query.flatMap(([name, value]) =>
    value === undefined || choose.rarely(60) ? [] : [[name, value] as const]
  )
  if (choose.rarely(25)) given.push(choose.of(given))
  return {
    method: choose.rarely(6) ? "GET" : choose.rarely(40) ? "PUT" : "POST",
    path: choose.of(["/v2/authorize", "/oauth/authorize/"]),
    query: choose.shuffled(given),
    form: {
      decision: choose.rarely(8) ? choose.of(["deny", "", "maybe"]) : "allow",
      ...(choose.rarely(4) ? {} : { user: choose.rarely(10) ? choose.garbage() : choose.of(users) })
    },
    verifier,
    headers: {
      ...(choose.often() ? { accept: "text/html,*/*;q=0.8" } : {}),
      ...(choose.rarely(20) ? choose.of(foreign) : {})
    }
  }
}

// What a browser says of a request that another page has sent.
const foreign: ReadonlyArray<{ readonly [name: string]: string }> = [
  { origin: "https://evil.example" },
  { origin: "null" },
  { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
  { "sec-fetch-site": "same-site" }
]

const isForeign = ({ headers }: Asked) => "origin" in headers || "sec-fetch-site" in headers

export const toRequest = ({ form, headers, method, path, query }: Asked): FakeHttp.FakeRequest => {
  const search = new URLSearchParams(query.map(([name, value]) => [name, value]))
  return method === "GET"
    ? FakeHttp.request(method, `${path}?${search}`, { headers })
    : FakeHttp.form(method, `${path}?${search}`, form, headers)
}

/** A page or JSON with a status, or a way back to the app, with an error or a code. */
export type Verdict =
  | { readonly _tag: "Page"; readonly status: number }
  | { readonly _tag: "Error"; readonly redirectUri: string; readonly error: string; readonly state: string | undefined }
  | {
      readonly _tag: "Code"
      readonly code: Omit<Code, "text" | "givenAt" | "grant">
      readonly state: string | undefined
    }

export const judge = (oracle: Oracle, asked: Asked): Verdict => {
  const { form, headers, method, query, verifier } = asked
  const names = query.map(([name]) => name)
  const given = new Map(query)
  const get = (name: string) => given.get(name) || undefined
  const app: App | undefined = oracle.apps.find(({ id }) => id === get("client_id"))
  const redirectUri = get("redirect_uri")
  if (method === "PUT") return { _tag: "Page", status: 405 }
  if (new Set(names).size < names.length) return { _tag: "Page", status: 400 }
  if (app === undefined) return { _tag: "Page", status: "accept" in headers ? 400 : 401 }
  if (redirectUri === undefined || !app.redirectUris.includes(redirectUri)) return { _tag: "Page", status: 400 }
  const state = get("state")
  const error = (error: string): Verdict => ({ _tag: "Error", redirectUri, error, state })
  if (get("response_type") === undefined) return error("invalid_request")
  if (get("response_type") !== "code") return error("unsupported_response_type")
  if ((get("response_mode") ?? "query") !== "query") return error("invalid_request")
  const wanted = get("scope")?.split(" ") ?? []
  if (wanted.length === 0 || wanted.includes("nonsense")) return error("invalid_scope")
  const challenge = get("code_challenge")
  const challengeMethod = get("code_challenge_method")
  if (challenge !== undefined && challengeMethod === "S512") return error("invalid_request")
  if (method === "GET") return { _tag: "Page", status: 200 }
  if (isForeign(asked)) return { _tag: "Page", status: 403 }
  if (form["decision"] === "deny") return error("access_denied")
  const user = form["user"] || users[0]
  if (form["decision"] !== "allow" || user === undefined || !users.includes(user)) return { _tag: "Page", status: 400 }
  // A digest without its method is taken for a verifier, as RFC 7636 section 4.3 says.
  const proof = challenge === undefined ? undefined : challengeMethod === undefined ? challenge : verifier
  return { _tag: "Code", code: { app, user, redirectUri, scopes: wanted, verifier: proof }, state }
}
