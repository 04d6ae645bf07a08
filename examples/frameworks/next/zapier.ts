/** The client of an app on Next, which may load a module more than once: there is one client all the same. */
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import { userIn } from "../home.ts"

const known = globalThis as { zapier?: ZapierPromise.ZapierPromise }

export const zapier = (known.zapier ??= ZapierPromise.make({ connect: { scopes: ["zap"] } }))

export const userOf = (request: Request) => userIn(request.headers.get("cookie"))
