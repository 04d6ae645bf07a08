/** A Hono app. */
import { type Context, Hono } from "hono"
import { getCookie, setCookie } from "hono/cookie"
import { makeZapier, Reconnect, type Settings } from "./zapier.ts"

const connectLink = `<a href="/zapier/connect">Connect Zapier</a>`

/** @param bindsBrowser true if a login has to end in the browser that began it */
export const makeApp = (settings: Settings, bindsBrowser = true) => {
  const zapier = makeZapier(settings)
  const { sessions } = settings.stores
  const app = new Hono<{ Variables: { user: string } }>()

  app.post("/login", async (c) => {
    const { user } = await c.req.parseBody()
    const session = crypto.randomUUID()
    if (typeof user !== "string") return c.text("Who?", 400)
    sessions.set(session, user)
    setCookie(c, "session", session, { httpOnly: true, path: "/", sameSite: "Lax", secure: true })
    return c.redirect("/", 303)
  })

  app.get("/", (c) => c.html("<h1>Acme</h1>"))

  app.use(async (c, next) => {
    const user = sessions.get(getCookie(c, "session") ?? "")
    if (user === undefined) return c.text("Sign in", 401)
    c.set("user", user)
    return next()
  })

  const failed = (c: Context, error: unknown) =>
    error instanceof Reconnect ? c.html(connectLink) : c.html("<p>Your Zaps cannot be shown right now.</p>", 503)

  app.get("/zaps", async (c) => {
    try {
      const titles = await zapier.zapsOf(c.get("user"))
      return c.html(`<ul>${titles.map((title) => `<li>${title}</li>`).join("")}</ul>`)
    } catch (error) {
      return failed(c, error)
    }
  })

  app.get("/zapier/connect", (c) => {
    const { state, url } = zapier.logIn(c.get("user"))
    setCookie(c, "login", state, { httpOnly: true, maxAge: 600, path: "/zapier", sameSite: "Lax", secure: true })
    return c.redirect(url, 303)
  })

  app.get("/zapier/callback", async (c) => {
    const state = c.req.query("state") ?? ""
    if (bindsBrowser && getCookie(c, "login") !== state) return c.html(connectLink, 400)
    try {
      await zapier.comeBack(c.get("user"), state, c.req.query("code"))
      return c.redirect("/zaps", 303)
    } catch (error) {
      return failed(c, error)
    }
  })

  app.post("/zapier/disconnect", (c) => {
    zapier.disconnect(c.get("user"))
    return c.redirect("/zaps", 303)
  })

  return app
}
