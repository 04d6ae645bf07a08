/**
 * "Connect Zapier" in an app on Hono: the routes of a `ZapierPromise`, for users of the app's own sessions.
 *
 * @example
 * ```ts no-run
 * // Nothing has set the user.
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
 * What the routes have to know of Hono's context.
 *
 * @since 0.1.0
 */
export interface HonoContext {
  readonly req: { readonly raw: Request }
}

/**
 * A middleware that answers requests to the routes, and leaves all others to the app. The routes are where the redirect URI
 * says: use it without a path, behind what knows who is signed in.
 *
 * @param zapier made with `connect`
 * @param subject who is signed in, by Hono's own context: `undefined`, `null` or an empty text if nobody is. Default:
 *   `connect.subject`
 * @since 0.1.0
 */
export const routes =
  <C extends HonoContext>(
    zapier: Pick<ZapierPromise, "handler">,
    subject?: (context: C) => Subject | PromiseLike<Subject>
  ) =>
  async (context: C, next: () => Promise<void>): Promise<Response | void> => {
    const answered = await zapier.handler(context.req.raw, subject && { subject: () => subject(context) })
    return answered ?? next()
  }
