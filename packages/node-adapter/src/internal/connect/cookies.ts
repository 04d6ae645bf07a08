/**
 * The cookies that bind an attempt to the browser that began it: one for each attempt, so that two tabs do not mind each
 * other. The name has the attempt's key, which is no secret, and the value has where to go afterwards. It need not be
 * secret either: what counts is that this browser has it.
 *
 * Over https its name begins with `__Host-`: browsers take such a cookie from the very host alone, and not from one beside
 * it, so nobody else can give it to them (RFC 6265bis section 4.1.3.2). On this machine, over plain http, browsers have
 * nothing of the kind.
 */
import * as Duration from "effect/Duration"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

const base = "zapier-connect-"

const prefix = (isSecure: boolean) => `${isSecure ? "__Host-" : ""}${base}`

export const nameOf = (attempt: string, isSecure: boolean): string => `${prefix(isSecure)}${attempt}`

const options = (isSecure: boolean) =>
  ({
    path: "/",
    httpOnly: true,
    secure: isSecure,
    // It comes along when Zapier sends the browser back, and not with what another page loads or posts.
    sameSite: "lax"
  }) as const

/**
 * @param lifetime milliseconds
 */
export const set = (attempt: string, returnTo: string, isSecure: boolean, lifetime: number) =>
  HttpServerResponse.setCookieUnsafe(nameOf(attempt, isSecure), returnTo, {
    ...options(isSecure),
    maxAge: Duration.seconds(Math.ceil(lifetime / 1_000))
  })

export const expire = (attempt: string, isSecure: boolean) =>
  HttpServerResponse.expireCookieUnsafe(nameOf(attempt, isSecure), options(isSecure))
