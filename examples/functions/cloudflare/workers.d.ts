/** The part of Cloudflare's runtime that the example uses; `wrangler types` writes all of it. */
declare module "cloudflare:workers" {
  import type { Storage } from "@zapier-workflow-auth/node-adapter/stores/DurableObjectClient"

  export class DurableObject<Env> {
    constructor(ctx: DurableObject<Env>["ctx"], env: Env)
    protected readonly ctx: {
      readonly storage: Storage
      readonly waitUntil: (promise: Promise<unknown>) => void
    }
    protected readonly env: Env
    fetch(request: Request): Promise<Response>
  }
}
