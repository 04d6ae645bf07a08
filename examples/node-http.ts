/**
 * An app on Node's own `http`, without Effect; with Express the handlers are the same. A cookie, which a real app would
 * sign, says which user is signed in.
 *
 * Against the real Zapier, with ZAPIER_CLIENT_ID, ZAPIER_CLIENT_SECRET and ZAPIER_REDIRECT_URIS=http://localhost:3000/callback
 * set: `node node-http.ts`, and open http://localhost:3000 with the cookie `user=ada`
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"

interface Answer {
  readonly status: number
  readonly headers?: Record<string, string>
  readonly text?: string
}

const redirect = (location: string): Answer => ({ status: 303, headers: { location } })

/** The message for the user, by the kind of failure. */
const explain = (error: ZapierPromise.Failure): Answer => {
  switch (error._tag) {
    case "ReconnectRequired":
      return redirect("/connect")
    case "ConsentDenied":
      return { status: 200, text: "You did not allow access. Nothing was changed." }
    case "RateLimited":
      return {
        status: 503,
        headers: { "retry-after": `${error.retryAfter / 1_000}` },
        text: "Zapier is busy. Try again soon."
      }
    case "ClientRejected":
    case "InvalidConfig":
      // For the app's owner. No message contains a secret.
      process.emitWarning(error.message)
      return { status: 500, text: "Something is wrong on our side." }
    default:
      return { status: error.isRetryable ? 503 : 502, text: "That did not work. Try again." }
  }
}

const titles = async (response: Response): Promise<Answer> => {
  if (!response.ok) return { status: 502, text: `Zapier answered with ${response.status}` }
  const { data } = (await response.json()) as { readonly data: ReadonlyArray<{ readonly title: string }> }
  return { status: 200, text: data.map(({ title }) => title).join("\n") }
}

export const makeApp = (zapier: ZapierPromise.ZapierPromise) => {
  const routes: Record<string, (subject: string, query: string) => Promise<Answer>> = {
    "/": async (subject) => {
      const zaps = await zapier.fetch("/v2/zaps", { subject })
      return zaps.ok ? titles(zaps.value) : explain(zaps.error)
    },
    "/connect": async (subject) => {
      const consent = await zapier.authorizationUrl({ subject, scopes: ["zap"] })
      return consent.ok ? redirect(consent.value.url) : explain(consent.error)
    },
    "/callback": async (subject, query) => {
      const connected = await zapier.handleCallback(query, { subject })
      return connected.ok ? redirect("/") : explain(connected.error)
    }
  }

  const answer = async ({ headers, url = "/" }: IncomingMessage): Promise<Answer> => {
    const [path = "/", query = ""] = url.split("?", 2)
    const subject = /(?:^|; )user=(\w+)/.exec(headers.cookie ?? "")?.[1]
    if (subject === undefined) return { status: 401, text: "Sign in first." }
    return (await routes[path]?.(subject, query)) ?? { status: 404, text: "Nothing is here." }
  }

  return createServer((request: IncomingMessage, response: ServerResponse) => {
    answer(request).then(
      ({ headers = {}, status, text = "" }) => response.writeHead(status, headers).end(text),
      () => response.writeHead(500).end("Something is wrong on our side.")
    )
  })
}

if (import.meta.main) {
  makeApp(ZapierPromise.make()).listen(3_000)
}
