/** A small, handwritten client for Zapier without Effect, shared by the two apps beside it. */
// It is an app without Effect. @effect-diagnostics globalDate:off globalFetch:off globalTimers:off

/** A connected user. */
interface Row {
  readonly accessToken: string
  readonly refreshToken: string
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
}

/** The app's database, which survives a restart. */
export interface Database {
  /** Signed-in users, by session. */
  readonly sessions: Map<string, string>
  /** Users who have begun to connect, by state. */
  readonly logins: Map<string, { readonly user: string; readonly expiresAt: number }>
  readonly rows: Map<string, Row>
}

export const makeDatabase = (): Database => ({ sessions: new Map(), logins: new Map(), rows: new Map() })

/** The user has to connect, or to connect again. */
export class Reconnect extends Error {}

/** It does not work at the moment. */
class Unavailable extends Error {}

/** The client's configuration. */
export interface Settings {
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  readonly stores: Database
}

const minute = 60_000

interface TokenBody {
  readonly access_token: string
  /** If it is missing, the previous one stays valid. */
  readonly refresh_token?: string
  readonly expires_in: number
}

const isTokenBody = (json: unknown): json is TokenBody =>
  typeof json === "object" &&
  json !== null &&
  "access_token" in json &&
  typeof json.access_token === "string" &&
  "expires_in" in json &&
  typeof json.expires_in === "number" &&
  (!("refresh_token" in json) || typeof json.refresh_token === "string")

/** Waits for at most half a minute. The work itself continues. */
const soon = <A>(promise: Promise<A>): Promise<A> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Unavailable("Zapier takes too long")), minute / 2)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })

/** @param sharesRefreshes true if concurrent calls wait for one refresh */
export const makeZapier = ({ clientId, clientSecret, redirectUri, stores: db }: Settings, sharesRefreshes = true) => {
  const refreshes = new Map<string, Promise<Row>>()

  const askForTokens = async (form: Record<string, string>): Promise<Row> => {
    const askedAt = Date.now()
    const response = await fetch("https://zapier.com/oauth/token/", {
      method: "POST",
      headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
      body: new URLSearchParams(form),
      signal: AbortSignal.timeout(2 * minute)
    }).catch(() => undefined)
    const json: unknown = await response?.json().catch(() => undefined)
    const isRefused = typeof json === "object" && json !== null && "error" in json && json.error === "invalid_grant"
    if (response?.status === 400 && isRefused) throw new Reconnect("Zapier takes the token no more")
    if (response?.ok !== true || !isTokenBody(json)) throw new Unavailable("Zapier gives no tokens")
    return {
      accessToken: json.access_token,
      refreshToken: json.refresh_token ?? form["refresh_token"] ?? "",
      expiresAt: askedAt + json.expires_in * 1_000
    }
  }

  const refresh = async (user: string, row: Row): Promise<Row> => {
    try {
      const renewed = await askForTokens({ grant_type: "refresh_token", refresh_token: row.refreshToken })
      // The user may have disconnected, or connected again, meanwhile.
      if (db.rows.get(user) !== row) throw new Unavailable("the connection has changed")
      db.rows.set(user, renewed)
      return renewed
    } catch (error) {
      if (error instanceof Reconnect && db.rows.get(user) === row) db.rows.delete(user)
      throw error
    }
  }

  const refreshOnce = (user: string, row: Row): Promise<Row> => {
    if (!sharesRefreshes) return refresh(user, row)
    const running = refreshes.get(row.refreshToken)
    if (running !== undefined) return running
    const begun = refresh(user, row).finally(() => refreshes.delete(row.refreshToken))
    refreshes.set(row.refreshToken, begun)
    return begun
  }

  const tokenOf = async (user: string, rejected?: string): Promise<string> => {
    const row = db.rows.get(user)
    if (row === undefined) throw new Reconnect("not connected")
    const isGood = row.accessToken !== rejected && row.expiresAt - 5 * minute > Date.now()
    return isGood ? row.accessToken : (await refreshOnce(user, row)).accessToken
  }

  const ask = (token: string) =>
    fetch("https://api.zapier.com/v2/zaps", {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(minute / 2)
    }).catch(() => undefined)

  const zapsOf = async (user: string): Promise<ReadonlyArray<string>> => {
    const token = await tokenOf(user)
    let response = await ask(token)
    if (response?.status === 401) response = await ask(await tokenOf(user, token))
    const json: unknown = response?.ok === true ? await response.json().catch(() => undefined) : undefined
    const isList = typeof json === "object" && json !== null && "data" in json && Array.isArray(json.data)
    if (!isList) throw new Unavailable("Zapier gives no list")
    return (json.data as ReadonlyArray<{ readonly title: string }>).map(({ title }) => title)
  }

  return {
    /** The URL to send the user's browser to, and the state that has to come back. */
    logIn: (user: string) => {
      const state = crypto.randomUUID()
      db.logins.set(state, { user, expiresAt: Date.now() + 10 * minute })
      const query = {
        response_type: "code",
        client_id: clientId,
        redirect_uri: redirectUri,
        scope: "zap profile",
        state
      }
      return { state, url: `https://api.zapier.com/v2/authorize?${new URLSearchParams(query)}` }
    },

    /** Handles the code of a callback. */
    comeBack: async (user: string, state: string, code: string | undefined) => {
      const login = db.logins.get(state)
      if (login?.user !== user) throw new Reconnect("no login of this user")
      db.logins.delete(state)
      if (code === undefined || login.expiresAt <= Date.now()) throw new Reconnect("denied, or too late")
      db.rows.set(user, await soon(askForTokens({ grant_type: "authorization_code", code, redirect_uri: redirectUri })))
    },

    zapsOf: (user: string) => soon(zapsOf(user)),

    disconnect: (user: string) => {
      db.rows.delete(user)
    }
  }
}
