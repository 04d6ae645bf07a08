/** The control page and the control API without a server, as a browser and as a program that knows the token. */
import * as Effect from "effect/Effect"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import * as FakeZapier from "../../src/FakeZapier.ts"
import type { Context } from "../../src/fake/internal/control/handle.ts"
import * as Control from "../../src/fake/internal/control/handle.ts"

export const redirectUri = "https://acme.example/callback"

export const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: [redirectUri] }

export const host = "127.0.0.1:9270"

export const secrets = { token: "the-token-of-the-api", session: "the-session", form: "the-form-secret" }

const address = "127.0.0.1"

type Headers = { readonly [name: string]: string | undefined }

export const make = (options: FakeZapier.Options = { apps: [app] }) => {
  const zapier = FakeZapier.make(options)
  const told: Array<string> = []
  const context: Context = {
    zapier,
    secrets,
    snapshots: new Map(),
    isServerLocal: true,
    links: [],
    onAction: (words) => Effect.sync(() => void told.push(words))
  }
  const send = (request: FakeHttp.FakeRequest) => Control.handle(request, context)
  const own: Headers = { host, cookie: `fake-zapier-9270=${secrets.session}` }
  const bearer: Headers = { host, authorization: `Bearer ${secrets.token}` }
  return {
    zapier,
    context,
    /** What was told of actions. */
    told,
    send,
    /** What a signed in browser asks for. */
    get: (path: string, headers: Headers = own) => send(FakeHttp.request("GET", path, { headers, address })),
    /** A form of the page, sent. */
    submit: (action: string, fields: { readonly [name: string]: string }, headers: Headers = own) =>
      send(FakeHttp.form("POST", `/_control/do/${action}`, { form: secrets.form, ...fields }, headers)),
    /** What a program asks for. */
    read: (name: string, headers: Headers = bearer) =>
      send(FakeHttp.request("GET", `/_control/api/${name}`, { headers, address })),
    /** What a program does. */
    act: (name: string, input: unknown, headers: Headers = bearer) =>
      send(
        FakeHttp.request("POST", `/_control/api/${name}`, {
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify(input),
          address
        })
      )
  }
}

export const authorizationUrl = `https://zapier.example/v2/authorize?${new URLSearchParams({
  response_type: "code",
  client_id: app.clientId,
  redirect_uri: redirectUri,
  scope: "profile zap",
  state: "xyz"
})}`

/** Lets a user connect, and gives the tokens. */
export const connect = Effect.fnUntraced(function* (zapier: FakeZapier.FakeZapier["Service"]) {
  const code = new URL(yield* zapier.approve(authorizationUrl)).searchParams.get("code") ?? ""
  const { response } = yield* zapier.handle(
    FakeHttp.form("POST", "/oauth/token/", {
      grant_type: "authorization_code",
      code,
      redirect_uri: redirectUri,
      client_id: app.clientId,
      client_secret: app.clientSecret
    })
  )
  return JSON.parse(response.body) as { readonly access_token: string; readonly refresh_token: string }
})
