/** A Hono app on Node. */
import { serve } from "@hono/node-server"
import * as ZapierHono from "@zapier-workflow-auth/node-adapter/ZapierHono"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import { type Context, Hono } from "hono"
import { cookieOf, home, userIn } from "./home.ts"

const zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })

const userOf = (context: Context) => userIn(context.req.header("cookie"))

const app = new Hono()
app.use(ZapierHono.routes(zapier, userOf))

app.get("/", (context) => home(zapier, userOf(context)))

app.get("/sign-in/:name", (context) => {
  context.header("set-cookie", cookieOf(context.req.param("name")))
  return context.redirect("/", 303)
})

const server = serve({ fetch: app.fetch, port: Number(process.argv[2] ?? 3_000), hostname: "127.0.0.1" })
process.once("SIGTERM", () => server.close(() => void zapier.close()))
