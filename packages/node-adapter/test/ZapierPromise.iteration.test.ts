/** Lists of any length as async iterables: when a page is asked for, and how an iteration ends. */
import { describe, expect, it } from "@effect/vitest"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"
import * as ZapierPromise from "../src/ZapierPromise.ts"
import * as EndpointsWorld from "./utils/EndpointsWorld.ts"

const { make, subject, untyped } = EndpointsWorld

const enough = new Error("enough")

const setup = async (options: Partial<ZapierPromise.Options> = {}) => {
  const world = make(options)
  await world.connect()
  const asked = async () => {
    const entries = await world.fake.requests()
    return entries.filter(({ request }) => request.path.includes("/v2/zaps")).length
  }
  return { ...world, asked, request: { subject, query: { limit: 1 } } }
}

describe("a loop over a list", () => {
  it("gives the entries of all pages, and each page when it is needed", async () => {
    const { asked, request, zapier } = await setup()
    const titles: Array<string> = []
    const counts: Array<number> = []
    for await (const { title } of zapier.zaps.list.items(request)) {
      titles.push(title)
      counts.push(await asked())
    }
    expect(new Set(titles).size).toBe(3)
    expect(counts).toEqual([1, 2, 3])
    const pages: Array<number> = []
    for await (const { data } of zapier.zaps.list.pages({ subject, query: { limit: 2 } })) pages.push(data.length)
    expect(pages).toEqual([2, 1])
    await zapier.close()
  })

  it("asks for nothing before it begins, and for no more once it is left", async () => {
    const { asked, request, zapier } = await setup()
    const items = zapier.zaps.list.items(request)
    expect(await asked()).toBe(0)
    for await (const _ of items) break
    expect(await asked()).toBe(1)
    // The next loop begins anew.
    for await (const _ of items) break
    expect(await asked()).toBe(2)
    const iterator = items[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.return?.()
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    expect(await asked()).toBe(3)
    await zapier.close()
  })

  it("throws the failure, and ends", async () => {
    const { fake, request, zapier } = await setup({ retry: false })
    const iterator = zapier.zaps.list.items(request)[Symbol.asyncIterator]()
    await iterator.next()
    await fake.addFault({ fault: { _tag: "Unavailable" }, times: 1 })
    const thrown: unknown = await iterator.next().catch((error: unknown) => error)
    expect(thrown).toBeInstanceOf(ZapierPromise.IterationError)
    expect(thrown).toMatchObject({ failure: { _tag: "ZapierApiError", endpoint: "GET /v2/zaps", isRetryable: true } })
    expect((thrown as Error).message).toMatch(/^GET \/v2\/zaps: /)
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    await zapier.close()
  })

  it.each([
    [{ subject, limit: 1 }, "limit"],
    [{ subject, signal: 5 }, "signal"],
    [{}, "subject"],
    [5, "request"]
  ])("throws for what does not fit: %j", async (request, setting) => {
    const { asked, zapier } = await setup()
    const first = zapier.zaps.list.pages(untyped(request))[Symbol.asyncIterator]().next()
    await expect(first).rejects.toMatchObject({ failure: { _tag: "InvalidConfig", setting } })
    expect(await asked()).toBe(0)
    await zapier.close()
  })

  it("ends with the reason of a signal: between pages, within a page, and while a page is under way", async () => {
    const { asked, request, zapier } = await setup()
    const between = new AbortController()
    const begun = zapier.zaps.list.items({ ...request, signal: between.signal })[Symbol.asyncIterator]()
    await begun.next()
    between.abort(enough)
    await expect(begun.next()).rejects.toBe(enough)
    expect(await asked()).toBe(1)

    const within = new AbortController()
    const whole = zapier.zaps.list.items({ subject, signal: within.signal })[Symbol.asyncIterator]()
    await whole.next()
    within.abort(enough)
    await expect(whole.next()).rejects.toBe(enough)

    const before = zapier.zaps.list.items({ subject, signal: AbortSignal.abort(enough) })[Symbol.asyncIterator]()
    await expect(before.next()).rejects.toBe(enough)
    expect(await asked()).toBe(2)
    await zapier.close()
  })

  it("aborts the request that is under way", async () => {
    const fake = FakeZapierPromise.make({ apps: [EndpointsWorld.app] })
    const stop = new AbortController()
    const seen = Promise.withResolvers<void>()
    const fetch: typeof globalThis.fetch = (input, init) => {
      const sent = new Request(input, init)
      if (!sent.url.includes("/v1/categories")) return fake.fetch(input, init)
      return new Promise((_, reject) => {
        sent.signal.addEventListener("abort", () => {
          seen.resolve()
          reject(new DOMException("aborted", "AbortError"))
        })
        stop.abort(enough)
      })
    }
    const { zapier } = make({ fetch })
    const iterator = zapier.categories.list.items({ signal: stop.signal })[Symbol.asyncIterator]()
    await expect(iterator.next()).rejects.toBe(enough)
    await seen.promise
    await zapier.close()
  })

  it("is told that the client was closed", async () => {
    const { request, zapier } = await setup()
    const iterator = zapier.zaps.list.items(request)[Symbol.asyncIterator]()
    await iterator.next()
    await zapier.close()
    await expect(iterator.next()).rejects.toMatchObject({ failure: { _tag: "Closed" } })
  })

  it("follows links within the configured address, and no others", async () => {
    const origin = "http://127.0.0.1:9270"
    const fake = FakeZapierPromise.make({ apps: [EndpointsWorld.app] })
    let next = `${origin}/v1/categories?offset=1`
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const { url } = new Request(input, init)
      if (!url.includes("/v1/categories")) return fake.fetch(input, init)
      const isLast = new URL(url).searchParams.get("offset") === "1"
      return Response.json({ next: isLast ? null : next, previous: null, count: 0, objects: [] })
    }
    await using zapier = ZapierPromise.make({
      application: EndpointsWorld.app,
      fetch,
      stores: "memory",
      urls: ZapierUrls.at(origin)
    })
    const count = async () => {
      let pages = 0
      for await (const _ of zapier.categories.list.pages()) pages++
      return pages
    }
    expect(await count()).toBe(2)
    next = "https://elsewhere.example/v1/categories?offset=1"
    await expect(count()).rejects.toMatchObject({ failure: { _tag: "UnexpectedResponse" } })
  })
})
