/**
 * The cookies that bind attempts to the browser that began them: one for each attempt, so that two tabs do not mind each
 * other. A cookie names its attempt, and has a note of where to go afterwards. Neither is a secret: what counts is that this
 * browser has it.
 *
 * There are five names, and each value has a greatest length: all of them together have less than 3,840 bytes, also when
 * requests come at the same time. A sixth attempt takes the place of the oldest. Servers refuse requests whose headers are too
 * large (RFC 6585 section 5), and these come with each request to the host.
 *
 * Over https a name begins with `__Host-`: browsers take such a cookie from the very host alone, and not from one beside it,
 * so nobody else can give it to them. It has to be for the whole host then (RFC 6265bis section 4.1.3.2). On this machine,
 * over plain http, browsers have nothing of the kind, and it is for the routes only.
 */
import * as Duration from "effect/Duration"
import * as Base64Url from "effect/encoding/Base64Url"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Result from "effect/Result"

const slots = [0, 1, 2, 3, 4] as const

/** The greatest length of a note, in characters of ASCII. */
export const longestNote = 512

/** Where cookies are for. */
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

// Requests that come at the same time do not see each other's: each takes a place by chance.
const placeFor = (attempt: string, taken: ReadonlyArray<Entry>): number => {
  const free = slots.filter((slot) => !taken.some((entry) => entry.slot === slot))
  const [oldest] = taken.toSorted((one, other) => one.startedAt - other.startedAt)
  return free[attempt.charCodeAt(0) % free.length] ?? oldest?.slot ?? 0
}

// A semicolon would end it.
const isCookiePath = (path: string) => /^\/[!-:<-~]+$/.test(path)

const attributes = ({ isSecure, publicPath }: Place) =>
  ({
    path: isSecure || !isCookiePath(publicPath) ? "/" : publicPath,
    httpOnly: true,
    secure: isSecure,
    // It comes along when Zapier sends the browser back, and not with what another page loads or posts.
    sameSite: "lax"
  }) as const

/** The note of an attempt that was begun in this browser. */
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

/** Takes the cookie of an attempt out of this browser. */
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
