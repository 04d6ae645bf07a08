/**
 * Finds the query of the next page.
 *
 * Only the query of a link is used, and sent to the same endpoint, so that no response can direct a request to another
 * address. A link to another endpoint or server is an error.
 */
import * as Url from "effect/http/Url"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { production } from "../zapier/ZapierUrls.ts"

/** The relevant members of a page, in all versions. */
interface Page {
  readonly data?: ReadonlyArray<unknown> | undefined
  readonly objects?: ReadonlyArray<unknown> | undefined
  readonly next?: string | null | undefined
  readonly next_url?: string | null | undefined
  readonly links?: { readonly next?: string | null | undefined } | null | undefined
  readonly meta?: { readonly count?: number | undefined; readonly offset?: number | undefined } | null | undefined
}

export type Body = Page | ReadonlyArray<unknown>

/** The entries of a page. */
export const entries = (page: Body): ReadonlyArray<unknown> =>
  "objects" in page ? (page.objects ?? []) : "data" in page ? (page.data ?? []) : Array.isArray(page) ? page : []

/** The request that a page was the response to. */
export interface Asked {
  /** The address of the API, including the path of a gateway. */
  readonly base: string
  /** The path of the endpoint, with parameters filled in. */
  readonly path: string
  readonly query: UrlParams.UrlParams
}

type Next = Result.Result<UrlParams.UrlParams | undefined, string>

const none: Next = Result.succeed(undefined)

const decode = Option.liftThrowable(decodeURIComponent)

const withoutSlash = (path: string) => path.replace(/\/+$/, "")

// A server may add a trailing slash, or encode more characters than necessary.
const normal = (path: string) => Option.getOrElse(decode(withoutSlash(path)), () => path)

const linked = ({ base, path }: Asked, link: string): Next => {
  const url = Url.fromString(link, `${base}${path}`)
  const own = Url.fromString(base)
  if (Result.isFailure(url) || Result.isFailure(own)) return Result.fail("its link to the next page is not a URL")
  const { origin, pathname, searchParams } = url.success
  // A gateway that does not rewrite bodies leaves Zapier's own address in them.
  if (origin !== own.success.origin && origin !== production.api) {
    return Result.fail(`its link to the next page leads to ${origin.slice(0, 100)}`)
  }
  const prefix = withoutSlash(own.success.pathname)
  const found = prefix !== "" && pathname.startsWith(`${prefix}/`) ? pathname.slice(prefix.length) : pathname
  if (normal(found) !== normal(path)) {
    return Result.fail("its link to the next page leads to another endpoint")
  }
  // The client adds its own; a response must not choose it.
  searchParams.delete("client_id")
  return Result.succeed(UrlParams.fromInput(searchParams))
}

const numberIn = (query: UrlParams.UrlParams, name: string) => {
  const found = query.params.find(([key]) => key === name)?.[1]
  const number = typeof found === "string" && found !== "" ? Number(found) : Number.NaN
  return Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

const at = (query: UrlParams.UrlParams, numbers: { readonly [name: string]: number }): Next =>
  Result.succeed(UrlParams.setAll(query, numbers))

// Templates come as a list without links: by default 5, and never more than 100.
const templates = { otherwise: 5, most: 100 }

const afterList = ({ query }: Asked, length: number): Next => {
  const limit = numberIn(query, "limit") ?? templates.otherwise
  if (length === 0 || length < Math.min(limit, templates.most)) return none
  return at(query, { limit, offset: (numberIn(query, "offset") ?? 0) + length })
}

// If a page has no links at all, its counts tell if there are more entries.
const afterNumbers = ({ query }: Asked, page: Page): Next => {
  const count = page.meta?.count
  const { length } = entries(page)
  const offset = (page.meta?.offset ?? numberIn(query, "offset") ?? 0) + length
  return count === undefined || length === 0 || offset >= count ? none : at(query, { offset })
}

/** The query of the next page, `undefined` after the last, or the reason not to follow its link. */
export const after = (asked: Asked, page: Body): Next => {
  if (Array.isArray(page)) return afterList(asked, page.length)
  const read = page as Page
  const link = read.next ?? read.next_url ?? read.links?.next
  if (typeof link === "string" && link !== "") {
    const next = linked(asked, link)
    const isSame =
      Result.isSuccess(next) &&
      next.success !== undefined &&
      UrlParams.toString(next.success) === UrlParams.toString(asked.query)
    return isSame ? Result.fail("its link to the next page leads to the page itself") : next
  }
  return "meta" in read && read.links?.next === undefined ? afterNumbers(asked, read) : none
}
