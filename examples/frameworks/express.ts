/** An Express 5 app. */
import * as ZapierExpress from "@zapier-workflow-auth/node-adapter/ZapierExpress"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import express, { type Request } from "express"
import { cookieOf, home, userIn } from "./home.ts"

const zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })

const userOf = (request: Request) => userIn(request.headers.cookie)

const app = express()
app.use(express.urlencoded())
app.use(ZapierExpress.routes(zapier, userOf))

// Express 5 handles rejected promises.
// oxlint-disable-next-line oxc/no-async-endpoint-handlers
app.get("/", async (request, response) => {
  const page = await home(zapier, userOf(request))
  response
    .status(page.status)
    .type("html")
    .send(await page.text())
})

app.get("/sign-in/:name", (request, response) => {
  response.append("set-cookie", cookieOf(request.params.name)).redirect(303, "/")
})

const server = app.listen(Number(process.argv[2] ?? 3_000), "127.0.0.1")
process.once("SIGTERM", () => server.close(() => void zapier.close()))
