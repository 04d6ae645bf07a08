/** An Express app. */
import express, { type NextFunction, type Request, type Response } from "express"
import { makeZapier, Reconnect, type Settings } from "./zapier.ts"

const connectLink = `<a href="/zapier/connect">Connect Zapier</a>`

const cookieOf = (request: Request, name: string) =>
  new Map(
    request
      .get("cookie")
      ?.split("; ")
      .map((cookie) => cookie.split("=", 2) as [string, string])
  ).get(name)

const cookie = { httpOnly: true, sameSite: "lax", secure: true } as const

/** @param sharesRefreshes true if concurrent calls wait for one refresh */
export const makeApp = (settings: Settings, sharesRefreshes = true) => {
  const zapier = makeZapier(settings, sharesRefreshes)
  const { sessions } = settings.stores
  const app = express()

  app.post("/login", express.urlencoded({ extended: false }), (request, response) => {
    const session = crypto.randomUUID()
    sessions.set(session, String((request.body as { readonly user: unknown }).user))
    response.cookie("session", session, cookie).redirect(303, "/")
  })

  app.get("/", (_, response) => {
    response.send("<h1>Acme</h1>")
  })

  app.use((request, response, next) => {
    const user = sessions.get(cookieOf(request, "session") ?? "")
    if (user === undefined) return void response.status(401).send("Sign in")
    response.locals["user"] = user
    next()
  })

  const userOf = ({ locals }: Response) => String(locals["user"])

  app.get("/zaps", async (_, response) => {
    const titles = await zapier.zapsOf(userOf(response))
    response.send(`<ul>${titles.map((title) => `<li>${title}</li>`).join("")}</ul>`)
  })

  app.get("/zapier/connect", (_, response) => {
    const { state, url } = zapier.logIn(userOf(response))
    response.cookie("login", state, { ...cookie, maxAge: 600_000, path: "/zapier" }).redirect(303, url)
  })

  // Express 5 accepts promises: errors go to the error handler below.
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers
  app.get("/zapier/callback", async (request, response) => {
    const { code, state } = request.query
    if (typeof state !== "string" || cookieOf(request, "login") !== state) throw new Reconnect("another browser")
    await zapier.comeBack(userOf(response), state, typeof code === "string" ? code : undefined)
    response.redirect(303, "/zaps")
  })

  app.post("/zapier/disconnect", (_, response) => {
    zapier.disconnect(userOf(response))
    response.redirect(303, "/zaps")
  })

  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    if (error instanceof Reconnect) response.send(connectLink)
    else response.status(503).send("<p>Your Zaps cannot be shown right now.</p>")
  })

  return app
}
