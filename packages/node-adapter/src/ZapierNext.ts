/**
 * "Connect Zapier" in an app on Next: the routes of a `ZapierPromise` as route handlers.
 *
 * @example
 * ```ts
 * // app/zapier/[...route]/route.ts
 * import * as ZapierNext from "@zapier-workflow-auth/node-adapter/ZapierNext"
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 *
 * declare const userOf: () => Promise<string | undefined>
 *
 * const zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })
 *
 * export const { GET, POST } = ZapierNext.routes(zapier, () => userOf())
 * ```
 *
 * @since 0.1.0
 */
import type { Subject, ZapierPromise } from "./ZapierPromise.ts"

/**
 * Makes the handlers of `route.ts` in `app/zapier/[...route]`, for a redirect URI that ends with `/zapier/callback`.
 *
 * Other paths there get 404.
 *
 * @param zapier made with `connect`
 * @param subject returns the signed-in user of a Next request: `undefined`, `null` or an empty text if signed out.
 *   `cookies()` and `auth()` work in it. Default: `connect.subject`
 * @since 0.1.0
 */
export const routes = <Req extends Request>(
  zapier: Pick<ZapierPromise, "handler">,
  subject?: (request: Req) => Subject | PromiseLike<Subject>
): { readonly GET: (request: Req) => Promise<Response>; readonly POST: (request: Req) => Promise<Response> } => {
  const handle = async (request: Req): Promise<Response> => {
    const response = await zapier.handler(request, subject && { subject: () => subject(request) })
    return response ?? new Response(null, { status: 404 })
  }
  return { GET: handle, POST: handle }
}
