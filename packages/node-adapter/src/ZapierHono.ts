/**
 * "Connect Zapier" in an app on Hono: the routes of a `ZapierPromise`, with the app's own sessions.
 *
 * @example
 * ```ts no-run
 * // The app's own middleware must set the user.
 * import * as ZapierHono from "@zapier-workflow-auth/node-adapter/ZapierHono"
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 * import { type Context, Hono } from "hono"
 *
 * const zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })
 *
 * new Hono().use(ZapierHono.routes(zapier, (context: Context) => context.get("user")))
 * ```
 *
 * @since 0.1.0
 */
import type { Subject, ZapierPromise } from "./ZapierPromise.ts"

/**
 * The part of Hono's context that the routes need.
 *
 * @since 0.1.0
 */
export interface HonoContext {
  readonly req: { readonly raw: Request }
}

/**
 * Makes a middleware that responds to requests for the routes and passes all others on.
 *
 * The redirect URI determines the paths: use it without a path, after the middleware that identifies the signed-in user.
 *
 * @param zapier made with `connect`
 * @param subject returns the signed-in user of a Hono context: `undefined`, `null` or an empty text if signed out. Default:
 *   `connect.subject`
 * @since 0.1.0
 */
export const routes =
  <C extends HonoContext>(
    zapier: Pick<ZapierPromise, "handler">,
    subject?: (context: C) => Subject | PromiseLike<Subject>
  ) =>
  async (context: C, next: () => Promise<void>): Promise<Response | void> => {
    const response = await zapier.handler(context.req.raw, subject && { subject: () => subject(context) })
    return response ?? next()
  }
