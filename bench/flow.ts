/** A complete OAuth flow as a sequence of requests, independent of the client. */

export interface Request {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly headers: { readonly [name: string]: string }
  readonly body?: string | undefined
}

export interface Answer {
  readonly status: number
  readonly location: string | undefined
  readonly body: string
}

export type Flow = Generator<Request, void, Answer>

/** An app as it is registered with a server. */
export interface App {
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
}

const formType = { "content-type": "application/x-www-form-urlencoded" }

const expect = (answer: Answer, status: number): Answer => {
  if (answer.status !== status) throw new Error(`expected ${status}, and not ${answer.status}: ${answer.body}`)
  return answer
}

/** The query of an authorization request. */
export const authorization = ({ clientId, redirectUri }: App, scope: string) =>
  new URLSearchParams({ response_type: "code", client_id: clientId, redirect_uri: redirectUri, scope, state: "xyz" })

const codeIn = ({ location = "" }: Answer): string => {
  const code = new URL(location).searchParams.get("code")
  if (code === null) throw new Error(`there is no code in ${location}`)
  return code
}

/** The rest of the flow, from the redirect to the app: exchange, call, refresh. */
export const afterConsent = function* (
  { clientId, clientSecret, redirectUri }: App,
  at: { readonly token: string; readonly api: string },
  redirect: Answer
): Flow {
  const authorization = `Basic ${btoa(`${clientId}:${clientSecret}`)}`
  const ask = function* (fields: Record<string, string>): Generator<Request, Record<string, unknown>, Answer> {
    const body = new URLSearchParams(fields).toString()
    return JSON.parse(
      expect(yield { method: "POST", path: at.token, headers: { ...formType, authorization }, body }, 200).body
    )
  }
  const code = codeIn(redirect)
  const tokens = yield* ask({ grant_type: "authorization_code", code, redirect_uri: redirectUri })
  const bearer = { authorization: `Bearer ${String(tokens["access_token"])}` }
  expect(yield { method: "GET", path: at.api, headers: bearer }, 200)
  yield* ask({ grant_type: "refresh_token", refresh_token: String(tokens["refresh_token"]) })
}

/** The flow at Zapier: the app asks for the user's profile, as with the other servers. */
export const zapier = function* (app: App): Flow {
  const path = `/v2/authorize?${authorization(app, "profile")}`
  const redirect = expect(yield { method: "GET", path, headers: {} }, 302)
  yield* afterConsent(app, { token: "/oauth/token/", api: "/v1/profiles/me" }, redirect)
}

/** Runs a flow. */
export const run = async (flow: Flow, send: (request: Request) => Promise<Answer>): Promise<void> => {
  let next = flow.next()
  while (next.done !== true) next = flow.next(await send(next.value))
}

/** Runs a flow whose responses are available synchronously. */
export const runSync = (flow: Flow, send: (request: Request) => Answer): void => {
  let next = flow.next()
  while (next.done !== true) next = flow.next(send(next.value))
}
