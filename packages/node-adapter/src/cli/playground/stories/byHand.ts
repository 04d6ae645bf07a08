// @effect-diagnostics globalFetch:off globalDate:off cryptoRandomUUID:off
import { readFile, rename, rm, writeFile } from "node:fs/promises"
import type { Client, Place } from "./client.ts"

/** A client as it is often written by hand: it refreshes an expired token, and stores the new ones afterwards. */
export const open = ({ clientId, clientSecret, directory, redirectUri, urls }: Place): Client => {
  const state = crypto.randomUUID()

  // The app's database, with one row for one user.
  const row = `${directory}/tokens.json`
  const load = () => readFile(row, "utf8").then(JSON.parse, () => undefined)
  const remove = () => rm(row, { force: true })
  const save = async (tokens: object) => {
    const temporary = `${row}.${crypto.randomUUID()}`
    await writeFile(temporary, JSON.stringify(tokens))
    await rename(temporary, row)
  }

  const requestTokens = async (parameters: Record<string, string>) => {
    const body = new URLSearchParams({ ...parameters, client_id: clientId, client_secret: clientSecret })
    const response = await fetch(urls.token, { method: "POST", body })
    if (!response.ok) return undefined
    const { access_token, expires_in, refresh_token } = await response.json()
    return { accessToken: access_token, refreshToken: refresh_token, expiresAt: Date.now() + expires_in * 1000 }
  }

  const refresh = async (refreshToken: string) => {
    const tokens = await requestTokens({ grant_type: "refresh_token", refresh_token: refreshToken })
    if (tokens === undefined) {
      await remove()
      throw new Error("Zapier refused the refresh: the user has to connect again.")
    }
    await save(tokens)
    return tokens
  }

  return {
    authorizationUrl: async () => {
      const query = { response_type: "code", client_id: clientId, redirect_uri: redirectUri, scope: "zap", state }
      return `${urls.authorize}?${new URLSearchParams(query)}`
    },
    connect: async (callback) => {
      const query = new URL(callback).searchParams
      if (query.get("state") !== state) throw new Error("This is another login.")
      const code = query.get("code") ?? ""
      const tokens = await requestTokens({ grant_type: "authorization_code", code, redirect_uri: redirectUri })
      if (tokens === undefined) throw new Error("Zapier refused the code.")
      await save(tokens)
    },
    call: async () => {
      let tokens = await load()
      if (tokens === undefined) throw new Error("Not connected: the user has to connect.")
      if (Date.now() >= tokens.expiresAt) tokens = await refresh(tokens.refreshToken)
      const headers = { authorization: `Bearer ${tokens.accessToken}` }
      const response = await fetch(`${urls.api}/v2/zaps`, { headers })
      return response.status
    },
    isConnected: async () => (await load()) !== undefined
  }
}
