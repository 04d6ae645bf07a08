/** The client of a Next app. Next may load a module more than once, but there is only one client. */
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import { userIn } from "../home.ts"

const known = globalThis as { zapier?: ZapierPromise.ZapierPromise }

export const zapier = (known.zapier ??= ZapierPromise.make({ connect: { scopes: ["zap"] } }))

export const userOf = (request: Request) => userIn(request.headers.get("cookie"))
