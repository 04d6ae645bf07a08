/**
 * "Connect Zapier" in an app on Fastify 5: the routes of a `ZapierPromise`, with the app's own sessions.
 *
 * @example
 * ```ts no-run
 * // userOf is the app's own: it reads the session.
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
 * The part of Fastify's request that the routes need.
 *
 * @since 0.1.0
 */
export interface FastifyRequest {
  readonly raw: IncomingMessage
  /** The target, including the prefix with which the routes are registered. */
  readonly url: string
}

/**
 * The part of Fastify's reply that the routes need.
 *
 * @since 0.1.0
 */
export interface FastifyReply {
  readonly raw: ServerResponse
  readonly send: (payload: Response) => unknown
  readonly callNotFound: () => unknown
}

/**
 * The part of a Fastify instance that the routes need.
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
 * Makes a plugin that responds to requests for the routes.
 *
 * Register it with the path of the redirect URI as `prefix`, after the plugin that identifies the signed-in user. It accepts
 * forms even if the app has no parser for them.
 *
 * @param zapier made with `connect`
 * @param subject returns the signed-in user of a Fastify request: `undefined`, `null` or an empty text if signed out.
 *   Default: `connect.subject`, which gets a `Request` without a body
 * @since 0.1.0
 */
export const routes =
  <Req extends FastifyRequest>(
    zapier: Pick<ZapierPromise, "handler">,
    subject?: (request: Req) => Subject | PromiseLike<Subject>
  ) =>
  async (fastify: FastifyInstance<Req>): Promise<void> => {
    // Fastify refuses bodies without a parser, such as forms. The routes read no body.
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
        const response = asked && (await zapier.handler(asked, subject && { subject: () => subject(request) }))
        return response === undefined ? reply.callNotFound() : reply.send(response)
      }
    })
  }
