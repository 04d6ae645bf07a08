/**
 * "Connect Zapier" in an app on Express: the routes of a `ZapierPromise`, for users of the app's own sessions.
 *
 * The routes are where the redirect URI says, so mount them without a path, or at that path, behind what knows who is signed
 * in. Express 5 and 4, and whatever else calls `(request, response, next)`.
 *
 * @example
 * ```ts no-run
 * // Who is signed in, the app knows by its sessions.
 * import * as ZapierExpress from "@zapier-workflow-auth/node-adapter/ZapierExpress"
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 * import express, { type Request } from "express"
 *
 * declare const userOf: (request: Request) => string | undefined
 *
 * const zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })
 *
 * express().use(ZapierExpress.routes(zapier, userOf))
 * ```
 *
 * @since 0.1.0
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as NodeWeb from "./internal/nodeWeb.ts"
import type { Subject, ZapierPromise } from "./ZapierPromise.ts"

/**
 * What the routes have to know of Express's request.
 *
 * @since 0.1.0
 */
export interface ExpressRequest extends IncomingMessage {
  /** The target as it came, with the path that the routes are mounted at. */
  readonly originalUrl: string
}

/**
 * A middleware that answers requests to the routes, and leaves all others to the app.
 *
 * @param zapier made with `connect`
 * @param subject who is signed in, by Express's own request: `undefined`, `null` or an empty text if nobody is. Default:
 *   `connect.subject`, which is given a `Request` without a body
 * @since 0.1.0
 */
export const routes =
  <Req extends ExpressRequest>(
    zapier: Pick<ZapierPromise, "handler">,
    subject?: (request: Req) => Subject | PromiseLike<Subject>
  ) =>
  (request: Req, response: ServerResponse, next: (error?: unknown) => void): void => {
    const answer = async (): Promise<boolean> => {
      const asked = NodeWeb.toRequest(request, response, request.originalUrl)
      if (asked === undefined) return false
      const answered = await zapier.handler(asked, subject && { subject: () => subject(request) })
      if (answered === undefined) return false
      await NodeWeb.send(answered, response)
      return true
    }
    answer().then((isAnswered) => {
      if (!isAnswered) next()
    }, next)
  }
