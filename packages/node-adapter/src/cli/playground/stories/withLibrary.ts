import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import type { Client, Place } from "./client.ts"

/** A client with this library, over the same kind of database. */
export const open = ({ clientId, clientSecret, directory, patience, redirectUri, urls }: Place): Client => {
  let secret = clientSecret
  const subject = "ada"

  const zapier = ZapierPromise.make({
    // Called whenever the secret is needed.
    application: () => ({ clientId, clientSecret: secret, redirectUris: [redirectUri] }),
    urls,
    stores: { directory },
    settings: patience === undefined ? undefined : { requestTimeout: patience }
  })

  const valueOf = <A>(result: ZapierPromise.Result<A>): A => {
    if (result.ok) return result.value
    const { isRetryable, message } = result.error
    throw Object.assign(new Error(message), { isRetryable })
  }

  return {
    authorizationUrl: async () => valueOf(await zapier.authorizationUrl({ subject, scopes: ["zap"] })).url,
    connect: async (callback) => valueOf(await zapier.handleCallback(callback, { subject })),
    call: async () => valueOf(await zapier.fetch("/v2/zaps", { subject })).status,
    isConnected: async () => ["Active", "Refreshing"].includes(valueOf(await zapier.status(subject))._tag),
    setSecret: (clientSecret) => void (secret = clientSecret),
    close: () => zapier.close()
  }
}
