import * as ZapierHono from "@zapier-workflow-auth/node-adapter/ZapierHono"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"

// The app at Zapier is in the environment: see .env. Calls: await zapier.fetch("/v2/zaps", { subject })
export const zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })

// Who is signed in: take it from your own session. With the real Zapier, nobody is until you do.
const userOf = () => (process.env["ZAPIER_FAKE"] ? "me" : undefined)

// app.use(zapierRoutes)
export const zapierRoutes = ZapierHono.routes(zapier, userOf)
