/**
 * An AWS Lambda function behind an HTTP API (payload format 2.0) or a function URL: users connect Zapier and see their
 * Zaps. Any number of instances share the grants, which are in Postgres, encrypted.
 *
 * To deploy it, with DATABASE_URL, ZAPIER_ENCRYPTION_KEYS (`openssl rand -base64 32`), ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET and
 * ZAPIER_REDIRECT_URIS set: `npx esbuild lambda.ts --bundle --platform=node --format=esm --external:undici
 * --outfile=index.mjs`, or leave it as it is beside its `node_modules`. The handler is `index.handler`.
 */
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/bundled/ZapierPromise"

/** The part of a request that Lambda passes, and of its response. */
export interface Event {
  readonly rawPath: string
  readonly rawQueryString: string
  readonly headers: { readonly [name: string]: string | undefined }
  readonly cookies?: ReadonlyArray<string> | undefined
  readonly requestContext: { readonly domainName: string; readonly http: { readonly method: string } }
  readonly body?: string | undefined
  readonly isBase64Encoded: boolean
}

export interface Result {
  readonly statusCode: number
  readonly headers: { readonly [name: string]: string }
  readonly cookies: ReadonlyArray<string>
  readonly body: string
  readonly isBase64Encoded: boolean
}

// The app's own users. A real app has passwords, and signs its cookie.
const userOf = (request: Request) => /(?:^|; )user=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1]

const { DATABASE_URL: postgres = "" } = process.env

// Made once for each instance, and used by all its requests. Nothing is opened before the first.
const zapier = ZapierPromise.make({
  // The URL is in DATABASE_URL. An instance handles one request at a time, and needs one connection.
  stores: { postgres, maxConnections: 1 },
  connect: { scopes: ["zap"], subject: userOf }
})

const requestOf = ({
  body,
  cookies = [],
  headers,
  isBase64Encoded,
  rawPath,
  rawQueryString,
  requestContext
}: Event) => {
  const { domainName, http } = requestContext
  const url = new URL(rawPath, `https://${domainName}`)
  url.search = rawQueryString
  const given = new Headers()
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) given.set(name, value)
  if (cookies.length > 0) given.set("cookie", cookies.join("; "))
  const bytes = body === undefined ? null : Buffer.from(body, isBase64Encoded ? "base64" : "utf8")
  return new Request(url, { method: http.method, headers: given, body: bytes })
}

const resultOf = async (response: Response): Promise<Result> => ({
  statusCode: response.status,
  headers: Object.fromEntries([...response.headers].filter(([name]) => name !== "set-cookie")),
  cookies: response.headers.getSetCookie(),
  body: Buffer.from(await response.arrayBuffer()).toString("base64"),
  isBase64Encoded: true
})

const zapsOf = async (request: Request): Promise<Response> => {
  const user = userOf(request)
  if (user === undefined) return new Response("Sign in first.", { status: 401 })
  const zaps = await zapier.fetch("/v2/zaps", { subject: user, signal: request.signal })
  if (zaps.ok) return Response.json(await zaps.value.json())
  return zaps.error.needsReconnect
    ? new Response(null, { status: 303, headers: { location: "/zapier/connect" } })
    : ZapierPromise.toResponse(zaps.error)
}

export const handler = async (event: Event): Promise<Result> => {
  const request = requestOf(event)
  try {
    return await resultOf((await zapier.handler(request)) ?? (await zapsOf(request)))
  } finally {
    // Lambda freezes the instance after this, so it waits for token requests under way: no grant is lost.
    await zapier.settled()
  }
}
