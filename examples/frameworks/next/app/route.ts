import { home } from "../../home.ts"
import { userOf, zapier } from "../zapier.ts"

export const GET = (request: Request) => home(zapier, userOf(request))
