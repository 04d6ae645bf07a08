/**
 * A Cloudflare worker: users connect Zapier and see their Zaps. Each user has a Durable Object, which runs the library,
 * and whose own database keeps the user's grant, encrypted. It needs neither Node nor `nodejs_compat`.
 *
 * To deploy it: `npx wrangler secret put ZAPIER_CLIENT_SECRET`, likewise ZAPIER_ENCRYPTION_KEY (`openssl rand -base64 32`), the
 * rest in `wrangler.jsonc`; then `npx wrangler deploy`.
 */
// oxlint-disable-next-line import/no-unresolved -- the runtime's
import { DurableObject } from "cloudflare:workers"
import * as EncryptedStores from "@zapier-workflow-auth/core/store/EncryptedStores"
import * as KeyRing from "@zapier-workflow-auth/core/store/KeyRing"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as DurableObjectClient from "@zapier-workflow-auth/node-adapter/stores/DurableObjectClient"
import * as SqlStores from "@zapier-workflow-auth/node-adapter/stores/SqlStores"
import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import * as ZapierWeb from "@zapier-workflow-auth/node-adapter/ZapierWeb"
import * as Aead from "effect/crypto/Aead"
import * as Digest from "effect/crypto/Digest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"

interface Env {
  readonly ZAPIER_CLIENT_ID: string
  readonly ZAPIER_CLIENT_SECRET: string
  readonly ZAPIER_ENCRYPTION_KEY: string
  readonly ZAPIER_REDIRECT_URI: string
  /** The URL of a fake, in tests. */
  readonly ZAPIER_FAKE?: string
  readonly USERS: { readonly getByName: (name: string) => { readonly fetch: (request: Request) => Promise<Response> } }
}

// The app's own users. A real app has passwords, and signs its cookie.
const userOf = (request: Request) => /(?:^|; )user=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1]

const cryptography = Layer.provideMerge(
  Layer.merge(Aead.layerWebCrypto, Digest.layerWebCrypto),
  SecureRandom.layerWebCrypto
)

/** One user. */
export class User extends DurableObject<Env> {
  readonly #zapier = ZapierPromise.fromLayer(
    ZapierWeb.layerWithoutStores({
      application: {
        clientId: this.env.ZAPIER_CLIENT_ID,
        clientSecret: this.env.ZAPIER_CLIENT_SECRET,
        redirectUris: [this.env.ZAPIER_REDIRECT_URI]
      },
      urls: this.env.ZAPIER_FAKE === undefined ? undefined : ZapierUrls.at(this.env.ZAPIER_FAKE)
    }).pipe(
      Layer.provide(EncryptedStores.layer),
      Layer.provide([
        Layer.provide(SqlStores.layer, DurableObjectClient.layer(this.ctx.storage)),
        Layer.provide(KeyRing.layer([this.env.ZAPIER_ENCRYPTION_KEY]), cryptography)
      ])
    ),
    { waitUntil: (promise) => this.ctx.waitUntil(promise) }
  )

  readonly #connect = ZapierConnect.toWebHandler({
    redirectUri: this.env.ZAPIER_REDIRECT_URI,
    scopes: ["zap"],
    subject: userOf,
    zapier: this.#zapier.layer
  })

  override async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith("/zapier/")) return this.#connect.handler(request)
    const zaps = await this.#zapier.fetch("/v2/zaps", { subject: userOf(request) })
    if (zaps.ok) return zaps.value
    return zaps.error.needsReconnect
      ? Response.redirect(new URL("/zapier/connect", request.url).href, 303)
      : new Response(zaps.error.message, { status: zaps.error.httpStatus })
  }
}

// The runtime requires a default export.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch: async (request: Request, env: Env): Promise<Response> => {
    const user = userOf(request)
    return user === undefined
      ? new Response("Sign in first.", { status: 401 })
      : env.USERS.getByName(user).fetch(request)
  }
}
