/** A small web app without Effect, for scenarios: it keeps everything in a map, and refreshes nothing. */
// @effect-diagnostics globalFetch:off
import type * as ScenarioPromise from "../../src/ScenarioPromise.ts"

export interface Kept {
  readonly states: Map<string, string>
  readonly tokens: Map<string, string>
}

type Given = ScenarioPromise.Given<Kept>

const userOf = (request: Request) => /user=(\w+)/.exec(request.headers.get("cookie") ?? "")?.[1]

const loginOf = (request: Request) => /login=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1]

const connect = () => new Response(`<a href="/connect">Connect</a>`, { headers: { "content-type": "text/html" } })

const redirect = (location: string, more: Record<string, string> = {}) =>
  new Response(null, { status: 303, headers: { location, ...more } })

/** Responses by path, and otherwise as the app does. */
export type Changed = (request: Request, given: Given) => Response | Promise<Response> | undefined

export const handlerWith =
  (changed: Changed = () => undefined) =>
  (given: Given) =>
  async (request: Request): Promise<Response> => {
    const other = changed(request, given)
    if (other !== undefined) return other
    const { clientId, clientSecret, redirectUri, stores, zapier } = given
    const { pathname, searchParams } = new URL(request.url)
    const user = userOf(request)
    if (user === undefined) return new Response("Sign in", { status: 401 })
    if (pathname === "/connect") {
      const state = crypto.randomUUID()
      stores.states.set(state, user)
      const query = { response_type: "code", client_id: clientId, redirect_uri: redirectUri, scope: "zap", state }
      const cookie = `login=${state}; Path=/callback; HttpOnly; Secure; SameSite=Lax; Max-Age=600`
      return redirect(`${zapier.api}/v2/authorize?${new URLSearchParams(query)}`, { "set-cookie": cookie })
    }
    if (pathname === "/disconnect") {
      stores.tokens.delete(user)
      return redirect("/zaps")
    }
    if (pathname === "/callback") {
      const state = searchParams.get("state") ?? ""
      const code = searchParams.get("code")
      const isMine = loginOf(request) === state && stores.states.get(state) === user
      if (!isMine || code === null) return connect()
      stores.states.delete(state)
      const body = new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: redirectUri })
      const headers = { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` }
      const response = await fetch(`${zapier.site}/oauth/token/`, { method: "POST", headers, body })
      const { access_token } = (await response.json()) as { readonly access_token: string }
      stores.tokens.set(user, access_token)
      return redirect("/zaps")
    }
    const token = stores.tokens.get(user)
    if (token === undefined) return connect()
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`${zapier.api}/v2/zaps`, { headers })
    return response.ok ? new Response(await response.text()) : connect()
  }

export const appWith = (
  changed?: Changed,
  more: Partial<ScenarioPromise.App<Kept>> = {}
): ScenarioPromise.App<Kept> => ({
  start: handlerWith(changed),
  stores: () => ({ states: new Map(), tokens: new Map() }),
  cookies: (user) => ({ user }),
  routes: { connect: "/connect", page: "/zaps", disconnect: { method: "POST", path: "/disconnect" } },
  ...more
})
