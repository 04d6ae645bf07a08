/**
 * The purpose of a visit: the return address, and the address to connect with the same query, by which the app may choose
 * scopes. It is kept in the attempt's cookie meanwhile.
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

// The maximum length of a return address, in characters, so that it fits into a note.
const longest = 500

// The parameters without which the address to connect is useless, unless they are longer than any sensible value.
const needed = ["app", "reconnect_id"]

const essentialsOf = (query: URLSearchParams, popup: string | undefined): string => {
  const kept = new URLSearchParams(popup === undefined ? "" : Popup.queryOf(popup))
  for (const name of needed) {
    const value = query.get(name)
    if (value !== null && value.length <= 50) kept.set(name, value)
  }
  return `${kept}`
}

/**
 * Makes a note that fits into a cookie. If too long, the rest of the query is dropped first, then the return address, but not
 * the essentials: the popup's id, by which its opener knows it, and the app to connect.
 */
const noteOf = (address: string, rest: string, essentials: string): string =>
  [`${address}\n${rest}`, `${address}\n${essentials}`].find(({ length }) => length <= Cookies.longestNote) ??
  `\n${essentials}`

/**
 * @param address the return address, if given and allowed
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
    note: noteOf(address ?? "", `${more}`, essentialsOf(more, id))
  }
}

/** The visit without any options. */
export const plain = (where: Where): Ways =>
  make({ ...where, origin: "", others: [] }, undefined, new URLSearchParams()).ways

/** Parses a query; `undefined` if its return address is not allowed. A return address that is too long is ignored. */
export const parse = (config: Where & Origins, query: URLSearchParams): Visit | undefined => {
  const more = new URLSearchParams(query)
  more.delete("return")
  const asked = query.get("return")
  if (asked === null) return make(config, undefined, more)
  const address = ReturnUrl.parse(asked, config.origin, config.others)
  return address === undefined ? undefined : make(config, address.length > longest ? undefined : address, more)
}

/** Parses a note. It is validated again, because it may have been changed since. */
export const ofNote = (config: Where & Origins, note: string): Ways => {
  const [address = "", ...rest] = note.split("\n")
  return make(
    config,
    ReturnUrl.parse(address, config.origin, config.others),
    new URLSearchParams(rest.join("\n").slice(0, Cookies.longestNote))
  ).ways
}
