/**
 * "Connect Zapier" in an app on Fastify 5: the routes of a `ZapierPromise`, for users of the app's own sessions.
 *
 * @example
 * ```ts no-run
 * // Who is signed in, the app knows by its sessions.
 * import * as ZapierFastify from "@zapier-workflow-auth/node-adapter/ZapierFastify"
 * import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
 * import fastify, { type FastifyRequest } from "fastify"
 *
 * declare const userOf: (request: FastifyRequest) => string | undefined
 *
 * const zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })
 *
 * // The prefix is the path of the redirect URI, without /callback.
 * fastify().register(ZapierFastify.routes(zapier, userOf), { prefix: "/zapier" })
 * ```
 *
 * @since 0.1.0
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import * as NodeWeb from "./internal/nodeWeb.ts"
import type { Subject, ZapierPromise } from "./ZapierPromise.ts"

/**
 * What the routes have to know of Fastify's request.
 *
 * @since 0.1.0
 */
export interface FastifyRequest {
  readonly raw: IncomingMessage
  /** The target, with the prefix that the routes are registered with. */
  readonly url: string
}

/**
 * What the routes have to know of Fastify's reply.
 *
 * @since 0.1.0
 */
export interface FastifyReply {
  readonly raw: ServerResponse
  readonly send: (payload: Response) => unknown
  readonly callNotFound: () => unknown
}

/**
 * What the routes have to know of a Fastify instance.
 *
 * @since 0.1.0
 */
export interface FastifyInstance<Req> {
  readonly hasContentTypeParser: (contentType: string) => boolean
  readonly addContentTypeParser: (
    contentType: string,
    parser: (request: Req, payload: IncomingMessage, done: (error: Error | null, body?: unknown) => void) => void
  ) => unknown
  readonly route: (options: {
    readonly method: ["GET", "POST"]
    readonly url: string
    readonly handler: (request: Req, reply: FastifyReply) => Promise<unknown>
  }) => unknown
}

/**
 * A plugin that answers requests to the routes. Register it with the path of the redirect URI as `prefix`, after the plugin that
 * knows who is signed in. Forms are taken, whether the app has a parser for them or not.
 *
 * @param zapier made with `connect`
 * @param subject who is signed in, by Fastify's own request: `undefined`, `null` or an empty text if nobody is. Default:
 *   `connect.subject`, which is given a `Request` without a body
 * @since 0.1.0
 */
export const routes =
  <Req extends FastifyRequest>(
    zapier: Pick<ZapierPromise, "handler">,
    subject?: (request: Req) => Subject | PromiseLike<Subject>
  ) =>
  async (fastify: FastifyInstance<Req>): Promise<void> => {
    // Fastify refuses bodies that nobody parses, such as those of forms. The routes read none.
    if (!fastify.hasContentTypeParser("*")) {
      fastify.addContentTypeParser("*", (_, payload, done) => {
        payload.resume()
        done(null)
      })
    }
    fastify.route({
      method: ["GET", "POST"],
      url: "/*",
      handler: async (request, reply) => {
        const asked = NodeWeb.toRequest(request.raw, reply.raw, request.url)
        const answered = asked && (await zapier.handler(asked, subject && { subject: () => subject(request) }))
        return answered === undefined ? reply.callNotFound() : reply.send(answered)
      }
    })
  }
