/** Steps of the OAuth flow as bare requests to the pure machine. */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import * as FakeControl from "../../src/fake/FakeControl.ts"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import * as FakeServer from "../../src/fake/FakeServer.ts"
import * as FakeState from "../../src/fake/FakeState.ts"

export const redirectUri = "https://acme.example/callback"

export const basic = (id: string, secret: string) => `Basic ${Base64.encode(`${id}:${secret}`)}`

/** A fake with one app, driven request by request at times that a test chooses, without rate limits. */
export const make = (options?: FakeState.Options) => {
  const unlimited = FakeState.make({ ...options, settings: { rateLimits: false, ...options?.settings } })
  const [app, state] = Result.getOrThrow(
    FakeControl.registerApp(unlimited, {
      name: "Acme",
      redirectUris: [redirectUri, "https://acme.example/other"]
    })
  )
  const self = {
    app,
    state,
    now: 0,
    send(request: FakeHttp.FakeRequest) {
      const handled = FakeServer.handle(self.state, request, self.now)
      self.state = handled.state
      return handled.response
    },
    json(request: FakeHttp.FakeRequest) {
      return JSON.parse(self.send(request).body)
    },
    authorizeQuery(changes: Record<string, string | undefined> = {}) {
      const query = new URLSearchParams()
      const defaults: Record<string, string | undefined> = {
        response_type: "code",
        client_id: app.clientId,
        redirect_uri: redirectUri,
        scope: "zap profile",
        state: "xyz"
      }
      for (const [name, value] of Object.entries({ ...defaults, ...changes })) {
        if (value !== undefined) query.append(name, value)
      }
      return query.toString()
    },
    authorize(changes: Record<string, string | undefined> = {}, decision = "allow") {
      const url = `/v2/authorize?${self.authorizeQuery(changes)}`
      const { headers } = self.send(FakeHttp.form("POST", url, { decision }))
      return new URL(headers["location"] ?? "").searchParams
    },
    code(changes: Record<string, string | undefined> = {}) {
      return self.authorize(changes).get("code") ?? ""
    },
    token(
      fields: Record<string, string> | ReadonlyArray<readonly [string, string]>,
      headers: Record<string, string | undefined> = { authorization: basic(app.clientId, app.clientSecret) }
    ) {
      const response = self.send(FakeHttp.form("POST", "/oauth/token/", fields, headers))
      return { ...response, json: JSON.parse(response.body) }
    },
    exchange(code: string, changes: Record<string, string> = {}) {
      return self.token({ grant_type: "authorization_code", code, redirect_uri: redirectUri, ...changes })
    },
    connect(changes: Record<string, string | undefined> = {}) {
      return self.exchange(self.code(changes)).json as { access_token: string; refresh_token: string; scope: string }
    },
    refresh(refreshToken: string, changes: Record<string, string> = {}) {
      return self.token({ grant_type: "refresh_token", refresh_token: refreshToken, ...changes })
    },
    appToken(scope?: string) {
      return self.token({ grant_type: "client_credentials", ...(scope === undefined ? {} : { scope }) })
    },
    api(method: string, path: string, accessToken?: string, body?: unknown) {
      return self.send(
        FakeHttp.request(method, path, {
          headers: {
            authorization: accessToken === undefined ? undefined : `Bearer ${accessToken}`,
            "content-type": body === undefined ? undefined : "application/json"
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) })
        })
      )
    },
    /** Calls an endpoint of the API, which has to answer with this status, and gives what it answers. */
    call(status: number, method: string, path: string, accessToken?: string, body?: unknown) {
      const answer = self.api(method, path, accessToken, body)
      if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status}, ${answer.body}`)
      return answer.body === "" ? undefined : JSON.parse(answer.body)
    }
  }
  return self
}
