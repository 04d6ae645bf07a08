/**
 * "Connect Zapier" in an app on Express: the routes of a `ZapierPromise`, with the app's own sessions.
 *
 * The redirect URI determines the paths. Mount the routes without a path, or at that path, after the middleware that
 * identifies the signed-in user. Works with Express 5 and 4, and others that call `(request, response, next)`.
 *
 * @example
 * ```ts no-run
 * // userOf is the app's own: it reads the session.
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
 * The part of Express's request that the routes need.
 *
 * @since 0.1.0
 */
export interface ExpressRequest extends IncomingMessage {
  /** The original target, including the path at which the routes are mounted. */
  readonly originalUrl: string
}

/**
 * Makes a middleware that responds to requests for the routes and passes all others on.
 *
 * @param zapier made with `connect`
 * @param subject returns the signed-in user of an Express request: `undefined`, `null` or an empty text if signed out.
 *   Default: `connect.subject`, which gets a `Request` without a body
 * @since 0.1.0
 */
export const routes =
  <Req extends ExpressRequest>(
    zapier: Pick<ZapierPromise, "handler">,
    subject?: (request: Req) => Subject | PromiseLike<Subject>
  ) =>
  (request: Req, response: ServerResponse, next: (error?: unknown) => void): void => {
    const respond = async (): Promise<boolean> => {
      const asked = NodeWeb.toRequest(request, response, request.originalUrl)
      if (asked === undefined) return false
      const made = await zapier.handler(asked, subject && { subject: () => subject(request) })
      if (made === undefined) return false
      await NodeWeb.send(made, response)
      return true
    }
    respond().then((hasResponded) => {
      if (!hasResponded) next()
    }, next)
  }
