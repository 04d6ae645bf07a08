import * as ZapierNext from "@zapier-workflow-auth/node-adapter/ZapierNext"
import { userOf, zapier } from "../../../zapier.ts"

export const { GET, POST } = ZapierNext.routes(zapier, userOf)
