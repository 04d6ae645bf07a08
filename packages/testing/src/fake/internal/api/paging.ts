/** Paged lists, in Zapier's three shapes. Numbers that are invalid or out of bounds are rejected. */
import * as Result from "effect/Result"
import type { FakeResponse } from "../../FakeHttp.ts"
import * as Links from "../links.ts"
import { type ApiResult, type Caller, type Handled, malformed, ok } from "./call.ts"

interface Bounds {
  readonly otherwise: number
  readonly least: number
  readonly most?: number
}

type Asking = Pick<Caller, "request">

/** A call of a list. */
interface List extends Asking {
  readonly query: { readonly limit?: number | undefined; readonly offset?: number | undefined }
}

/** A whole number within its bounds. */
export const within = (
  number: number | undefined,
  parameter: string,
  { least, most = Number.MAX_SAFE_INTEGER, otherwise }: Bounds
): Result.Result<number, FakeResponse> => {
  if (number === undefined) return Result.succeed(otherwise)
  if (number >= least && number <= most) return Result.succeed(number)
  const bound = most === Number.MAX_SAFE_INTEGER ? "" : ` and at most ${most}`
  return Result.fail(malformed(`${parameter} has to be a whole number, at least ${least}${bound}.`, { parameter }))
}

interface PageByNumber<A> {
  readonly total: number
  readonly page: number
  readonly pages: number
  readonly per_page: number
  readonly objects: ReadonlyArray<A>
  readonly prev_url: string | null
  readonly next_url: string | null
}

interface PageV1<A> {
  readonly next: string | null
  readonly previous: string | null
  readonly count: number
  readonly objects: ReadonlyArray<A>
}

interface PageV2<A> {
  readonly links: { readonly next: string | null; readonly prev: string | null }
  readonly meta: { readonly count: number; readonly limit: number | null; readonly offset: number }
  readonly data: ReadonlyArray<A>
}

// The URL of another page: the same query with other numbers, and without the client id, as at Zapier.
const link = ({ request }: Asking, numbers: { readonly [name: string]: number }) => {
  const query = new URLSearchParams(request.query)
  query.delete("client_id")
  for (const [name, number] of Object.entries(numbers)) query.set(name, String(number))
  return Links.to(request, `${request.path}?${query}`)
}

/** A list by page number, as v1 lists apps. */
export const byNumber = function* <A>(
  call: Asking & { readonly query: { readonly page?: number | undefined; readonly per_page?: number | undefined } },
  all: ReadonlyArray<A>
): Handled<PageByNumber<A>> {
  const per_page = yield* within(call.query.per_page, "per_page", { otherwise: 10, least: 1 })
  const page = yield* within(call.query.page, "page", { otherwise: 1, least: 1 })
  const pages = Math.max(1, Math.ceil(all.length / per_page))
  const at = (number: number) => (number >= 1 && number <= pages ? link(call, { per_page, page: number }) : null)
  return ok({
    total: all.length,
    page,
    pages,
    per_page,
    objects: all.slice((page - 1) * per_page, page * per_page),
    prev_url: at(page - 1),
    next_url: at(page + 1)
  })
}

/** A list by `limit` and `offset`, as all others. */
export const slice = <A>(call: List, all: ReadonlyArray<A>, limits: Omit<Bounds, "least"> = { otherwise: 10 }) =>
  Result.gen(function* () {
    const limit = yield* within(call.query.limit, "limit", { ...limits, least: 1 })
    const offset = yield* within(call.query.offset, "offset", { otherwise: 0, least: 0 })
    const count = all.length
    return {
      items: all.slice(offset, offset + limit),
      count,
      limit,
      offset,
      next: offset + limit < count ? link(call, { limit, offset: offset + limit }) : null,
      previous: offset > 0 ? link(call, { limit, offset: Math.max(0, offset - limit) }) : null
    }
  })

/** A page in the shape of v1. */
export const v1 = function* <A>(call: List, all: ReadonlyArray<A>, limits?: Omit<Bounds, "least">): Handled<PageV1<A>> {
  const { count, items, next, previous } = yield* slice(call, all, limits)
  return ok({ next, previous, count, objects: items })
}

/** A page in the shape of v2. */
export const v2 = function* <A>(call: List, all: ReadonlyArray<A>): Handled<PageV2<A>> {
  const { count, items, limit, next, offset, previous } = yield* slice(call, all)
  return ok({ links: { next, prev: previous }, meta: { count, limit, offset }, data: items })
}

/** A complete list in the shape of v2. */
export const unpaged = <A>(data: ReadonlyArray<A>): ApiResult<PageV2<A>> =>
  ok({ links: { next: null, prev: null }, meta: { count: data.length, limit: null, offset: 0 }, data })
