/**
 * The cookies that bind attempts to the browser that began them: one for each attempt, so that two tabs do not interfere. A
 * cookie holds its attempt and a note of the return address. Neither is secret: it matters only that this browser has it.
 *
 * The five names and the maximum length of a value keep all of them below 3,840 bytes, even for concurrent
 * requests. A sixth attempt replaces the oldest. Servers refuse requests with too large headers (RFC 6585 section 5), and
 * these cookies are sent with each request to the host.
 *
 * Over https a name begins with `__Host-`: browsers accept such a cookie only from the host itself, not from a sibling, so
 * no other host can plant one. It must then apply to the whole host (RFC 6265bis section 4.1.3.2). Over plain http, on this
 * machine, browsers have no such protection, and the cookie applies only to the routes.
 */
import * as Duration from "effect/Duration"
import * as Base64Url from "effect/encoding/Base64Url"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"

const slots = [0, 1, 2, 3, 4] as const

/** The maximum length of a note, in ASCII characters. */
export const longestNote = 512

/** The host and path that the cookies apply to. */
export interface Place {
  readonly isSecure: boolean
  /** The path of the routes, as browsers see it. */
  readonly publicPath: string
}

interface Entry {
  readonly slot: number
  /** In seconds since the epoch. */
  readonly startedAt: number
  readonly attempt: string
  readonly note: string
}

type Sent = Readonly<Record<string, string | undefined>>

type Change = (response: HttpServerResponse.HttpServerResponse) => HttpServerResponse.HttpServerResponse

const nameOf = (slot: number, isSecure: boolean) => `${isSecure ? "__Host-" : ""}zapier-connect-${slot}`

// The time in base 36, the attempt's key, the note.
const pattern = /^([\da-z]{1,9})\.([\w-]{43})\.([\w-]*)$/

const entries = (sent: Sent, isSecure: boolean): ReadonlyArray<Entry> =>
  slots.flatMap((slot) => {
    const [, startedAt = "", attempt = "", encoded = ""] = pattern.exec(sent[nameOf(slot, isSecure)] ?? "") ?? []
    const note = Result.getOrUndefined(Base64Url.decodeString(encoded))
    return attempt === "" || note === undefined ? [] : [{ slot, startedAt: parseInt(startedAt, 36), attempt, note }]
  })

// Concurrent requests do not see each other's cookies, so each picks a slot by its random attempt.
const placeFor = (attempt: string, taken: ReadonlyArray<Entry>): number => {
  const free = slots.filter((slot) => !taken.some((entry) => entry.slot === slot))
  const [oldest] = taken.toSorted((one, other) => one.startedAt - other.startedAt)
  return free[attempt.charCodeAt(0) % free.length] ?? oldest?.slot ?? 0
}

// A semicolon would end the attribute.
const isCookiePath = (path: string) => /^\/[!-:<-~]+$/.test(path)

const attributes = ({ isSecure, publicPath }: Place) =>
  ({
    path: isSecure || !isCookiePath(publicPath) ? "/" : publicPath,
    httpOnly: true,
    secure: isSecure,
    // Sent when Zapier redirects the browser back, but not with resources or posts of other sites.
    sameSite: "lax"
  }) as const

/** The note of an attempt, if it was begun in this browser. */
export const noteOf = (sent: Sent, attempt: string, { isSecure }: Place): string | undefined =>
  entries(sent, isSecure).find((entry) => entry.attempt === attempt)?.note

/**
 * Binds an attempt to this browser.
 *
 * @param sent the request's cookies
 * @param times `now` in milliseconds since the epoch, `lifetime` in milliseconds
 */
export const set = (
  sent: Sent,
  attempt: string,
  note: string,
  place: Place,
  { lifetime, now }: { readonly now: number; readonly lifetime: number }
): Change => {
  const name = nameOf(placeFor(attempt, entries(sent, place.isSecure)), place.isSecure)
  const startedAt = Math.floor(now / 1_000).toString(36)
  return HttpServerResponse.setCookieUnsafe(name, `${startedAt}.${attempt}.${Base64Url.encode(note)}`, {
    ...attributes(place),
    maxAge: Duration.seconds(Math.ceil(lifetime / 1_000))
  })
}

/** Removes the cookie of an attempt from this browser. */
export const expire =
  (sent: Sent, attempt: string, place: Place): Change =>
  (response) =>
    entries(sent, place.isSecure)
      .filter((entry) => entry.attempt === attempt)
      .reduce(
        (changed, { slot }) =>
          HttpServerResponse.expireCookieUnsafe(changed, nameOf(slot, place.isSecure), attributes(place)),
        response
      )
