/**
 * What a user came for: where to go afterwards, and where to connect with the same query, which the app may choose scopes by.
 * It is noted in the attempt's cookie meanwhile.
 */
import type { HttpServerRequest } from "effect/http/HttpServerRequest"
import type { Config } from "./config.ts"
import * as Cookies from "./cookies.ts"
import type { Ways } from "./outcome.ts"
import * as Popup from "./popup.ts"
import * as ReturnUrl from "./returnUrl.ts"

type Where = Pick<Config, "home" | "publicPath">

type Origins = Pick<Config, "origin" | "others">

export interface Visit {
  readonly ways: Ways
  readonly note: string
}

export const queryOf = ({ url }: HttpServerRequest): URLSearchParams => {
  const start = url.indexOf("?")
  return new URLSearchParams(start === -1 ? "" : url.slice(start + 1))
}

// The greatest length of an address, in characters: it has to fit into a note.
const longest = 500

/**
 * What fits into a cookie. The rest of a query is left out first; a popup does without an address, and not without its name,
 * by which its opener knows it.
 */
const noteOf = (address: string, rest: string, popup: string): string =>
  [`${address}\n${rest}`, `${address}\n${popup}`].find(({ length }) => length <= Cookies.longestNote) ?? `\n${popup}`

/**
 * @param address where to go afterwards, if that was said and is allowed
 * @param more the rest of the query
 */
const make = (
  { home, origin, others, publicPath }: Where & Origins,
  address: string | undefined,
  more: URLSearchParams
): Visit => {
  const id = Popup.asked(more)
  const query = new URLSearchParams(address === undefined ? [] : [["return", address]])
  for (const [name, value] of more) query.append(name, value)
  return {
    ways: {
      returnTo: address ?? home,
      connect: `${publicPath}/connect${query.size === 0 ? "" : `?${query}`}`,
      ...(id !== undefined && { popup: { id, origins: [origin, ...others] } })
    },
    note: noteOf(address ?? "", `${more}`, id === undefined ? "" : Popup.queryOf(id))
  }
}

/** The visit of somebody who has said nothing. */
export const plain = (where: Where): Ways =>
  make({ ...where, origin: "", others: [] }, undefined, new URLSearchParams()).ways

/** What a query asks for; `undefined` if it names an address that is not allowed. One that is too long is not gone to. */
export const parse = (config: Where & Origins, query: URLSearchParams): Visit | undefined => {
  const more = new URLSearchParams(query)
  more.delete("return")
  const asked = query.get("return")
  if (asked === null) return make(config, undefined, more)
  const address = ReturnUrl.parse(asked, config.origin, config.others)
  return address === undefined ? undefined : make(config, address.length > longest ? undefined : address, more)
}

/** What was noted. It was allowed then, and anybody may have changed it since. */
export const ofNote = (config: Where & Origins, note: string): Ways => {
  const [address = "", ...rest] = note.split("\n")
  return make(
    config,
    ReturnUrl.parse(address, config.origin, config.others),
    new URLSearchParams(rest.join("\n").slice(0, Cookies.longestNote))
  ).ways
}
