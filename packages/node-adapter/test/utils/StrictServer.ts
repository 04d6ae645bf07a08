/**
 * The least forgiving Zapier: a token endpoint and two endpoints of the API, in plain `node:http`. It has nothing of this
 * library or of its fake in it, so that neither can be wrong in the same way.
 *
 * A refresh ends the access token before it. A code or refresh token that comes a second time ends its grant.
 */
import { once } from "node:events"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"

export const application = {
  clientId: "strict",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/zapier/callback"]
} as const

/** How long access tokens live, in seconds. */
export const lifetime = 36_000

const credentials = `Basic ${btoa(`${application.clientId}:${application.clientSecret}`)}`

/** A token request, and the status of the response to it. */
export interface TokenRequest {
  readonly grantType: string | null
  readonly status: number
}

/** A response that waits. */
export interface Held {
  /** Done when the server has acted on the request. */
  readonly received: Promise<void>
  readonly respond: () => void
  /** Done when the response is with the operating system: the client need not run for it. */
  readonly responded: Promise<void>
}

interface Grant {
  /** All that were issued; only the last is good. */
  readonly refreshTokens: Array<string>
  accessToken: string | undefined
  isEnded: boolean
}

interface Answer {
  readonly status: number
  readonly body: object
}

const refused: Answer = { status: 400, body: { error: "invalid_grant" } }

export const start = async () => {
  const codes = new Map<string, Grant | "Unused">()
  const grants: Array<Grant> = []
  const requests: Array<TokenRequest> = []
  /** What the next token requests wait for, each for its own. */
  const holds: Array<(response: ServerResponse) => Promise<void>> = []
  let appToken: string | undefined
  let expiresIn = lifetime
  let issued = 0

  const next = (kind: string) => `${kind}-${++issued}`

  const granted = (access_token: string, more = {}): Answer => ({
    status: 200,
    body: { access_token, token_type: "Bearer", expires_in: expiresIn, ...more }
  })

  const issue = (grant: Grant): Answer => {
    const [access_token, refresh_token] = [next("access"), next("refresh")]
    grant.accessToken = access_token
    grant.refreshTokens.push(refresh_token)
    return granted(access_token, { refresh_token, scope: "zap" })
  }

  const exchange = (code: string, redirectUri: string | null): Answer => {
    const found = codes.get(code)
    if (found === undefined || redirectUri !== application.redirectUris[0]) return refused
    if (found !== "Unused") {
      found.isEnded = true
      return refused
    }
    const grant: Grant = { refreshTokens: [], accessToken: undefined, isEnded: false }
    codes.set(code, grant)
    grants.push(grant)
    return issue(grant)
  }

  const refresh = (refreshToken: string): Answer => {
    const grant = grants.find(({ refreshTokens }) => refreshTokens.includes(refreshToken))
    if (grant === undefined || grant.isEnded) return refused
    if (refreshToken === grant.refreshTokens.at(-1)) return issue(grant)
    grant.isEnded = true
    return refused
  }

  const token = ({ headers }: IncomingMessage, form: URLSearchParams): Answer => {
    if (headers.authorization !== credentials) return { status: 401, body: { error: "invalid_client" } }
    switch (form.get("grant_type")) {
      case "authorization_code":
        return exchange(form.get("code") ?? "", form.get("redirect_uri"))
      case "refresh_token":
        return refresh(form.get("refresh_token") ?? "")
      case "client_credentials":
        appToken = next("app")
        return granted(appToken, { scope: form.get("scope") })
      default:
        return { status: 400, body: { error: "unsupported_grant_type" } }
    }
  }

  const api = ({ headers, method, url = "" }: IncomingMessage): Answer => {
    const bearer = headers.authorization?.replace(/^Bearer /, "") ?? ""
    const endpoint = `${method} ${url}`
    const isUser = grants.some(({ accessToken, isEnded }) => !isEnded && accessToken === bearer)
    if (endpoint === "GET /v2/zaps") return { status: isUser ? 200 : 401, body: { data: [] } }
    if (endpoint.startsWith("DELETE /v2/promotions/")) return { status: bearer === appToken ? 200 : 401, body: {} }
    return { status: 404, body: {} }
  }

  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const isToken = `${request.method} ${request.url}` === "POST /oauth/token/"
    const form = new URLSearchParams(await text(request))
    const { body, status } = isToken ? token(request, form) : api(request)
    if (isToken) {
      requests.push({ grantType: form.get("grant_type"), status })
      await holds.shift()?.(response)
    }
    // No connection is used twice, so that none can be closed by one side while the other is paused.
    response.writeHead(status, { "content-type": "application/json", connection: "close" }).end(JSON.stringify(body))
  }

  const server = createServer((request, response) => {
    // A client that was killed while it was sending gets no response.
    respond(request, response).catch(() => response.destroy())
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")

  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** All of them, in the order in which they came. */
    tokenRequests: (): ReadonlyArray<TokenRequest> => requests,
    /** The callback after a user allowed what this authorization URL asks for. */
    approve: (authorizationUrl: string) => {
      const asked = new URL(authorizationUrl).searchParams
      const code = next("code")
      codes.set(code, "Unused")
      const callback = new URL(asked.get("redirect_uri") ?? "")
      callback.search = new URLSearchParams({ code, state: asked.get("state") ?? "" }).toString()
      return callback.href
    },
    /** How long access tokens live that are issued from now on, in seconds. The API does not look at it. */
    setLifetime: (seconds: number) => void (expiresIn = seconds),
    /** The API takes no user's access token that was issued so far. */
    endAccessTokens: () => {
      for (const grant of grants) grant.accessToken = undefined
    },
    /** Holds back the response to the next token request. The server acts on it at once. */
    hold: (): Held => {
      const received = Promise.withResolvers<void>()
      const release = Promise.withResolvers<void>()
      const responded = Promise.withResolvers<void>()
      holds.push((response) => {
        response.on("close", () => responded.resolve())
        received.resolve()
        return release.promise
      })
      return { received: received.promise, respond: () => release.resolve(), responded: responded.promise }
    },
    [Symbol.asyncDispose]: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, "close")
    }
  }
}

export type StrictServer = Awaited<ReturnType<typeof start>>
