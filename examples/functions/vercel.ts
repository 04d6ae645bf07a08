/**
 * A Vercel function: users connect Zapier and see their Zaps. The project's environment contains all configuration:
 * ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET, ZAPIER_REDIRECT_URIS, ZAPIER_ENCRYPTION_KEYS (`openssl rand -base64 32`), and
 * the location of the grants.
 *
 * To deploy it as `api/index.ts`, have `vercel.json` lead all paths to it: `{ "rewrites": [{ "source": "/(.*)", "destination": "/api" }] }`
 */
import { waitUntil } from "@vercel/functions"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/bundled/ZapierPromise"

// The app's own users. A real app has passwords, and signs its cookie.
const userOf = (request: Request) => /(?:^|; )user=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1]

// Made once for each instance, and used by all its requests. Nothing is opened before the first.
const zapier = ZapierPromise.make({
  connect: { scopes: ["zap"], subject: userOf },
  // Tokens are refreshed five minutes ahead, after the response.
  waitUntil
})

const zapsOf = async (request: Request): Promise<Response> => {
  const user = userOf(request)
  if (user === undefined) return new Response("Sign in first.", { status: 401 })
  const zaps = await zapier.fetch("/v2/zaps", { subject: user })
  if (zaps.ok) return Response.json(await zaps.value.json())
  return zaps.error.needsReconnect
    ? new Response(null, { status: 303, headers: { location: "/zapier/connect" } })
    : ZapierPromise.toResponse(zaps.error)
}

// The platform requires a default export.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch: async (request: Request): Promise<Response> => (await zapier.handler(request)) ?? zapsOf(request)
}
