/** The page of the example apps: the signed-in user's Zaps, or a link to connect. */
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"

const escape = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const page = (body: string, status = 200) =>
  new Response(`<!doctype html><title>Acme</title><link rel="icon" href="data:,">${body}`, {
    status,
    headers: { "content-type": "text/html; charset=utf-8" }
  })

const disconnect = `<form method="post" action="/zapier/disconnect"><button>Disconnect Zapier</button></form>`

export const home = async (zapier: ZapierPromise.ZapierPromise, user: string | undefined): Promise<Response> => {
  if (user === undefined) return page(`<a href="/sign-in/ada">Sign in as Ada</a>`)
  const zaps = await zapier.zaps.list({ subject: user })
  if (!zaps.ok) {
    return zaps.error.needsReconnect
      ? page(`<a href="/zapier/connect">Connect Zapier</a>`)
      : ZapierPromise.toResponse(zaps.error)
  }
  const { data } = zaps.value
  return page(`<ul>${data.map(({ title }) => `<li>${escape(title)}</li>`).join("")}</ul>${disconnect}`)
}

/** The signed-in user. A real app signs its cookie. */
export const userIn = (cookie: string | null | undefined): string | undefined =>
  /(?:^|; )user=(\w+)/.exec(cookie ?? "")?.[1]

/** The cookie that signs a user in. */
export const cookieOf = (user: string): string => `user=${encodeURIComponent(user)}; Path=/; HttpOnly; SameSite=Lax`
