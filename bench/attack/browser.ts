/** A browser that visits one site: it keeps cookies as browsers do, and sends which page initiated a request. */
import { Buffer } from "node:buffer"
import type { Door } from "./sites.ts"
import * as Wire from "./wire.ts"

export type Header = readonly [name: string, value: string]

/** The headers that a browser sends for navigation from the app, another site, a sibling host, and the address bar. */
export const from = {
  ownPage: [
    ["Sec-Fetch-Site", "same-origin"],
    ["Sec-Fetch-Mode", "navigate"],
    ["Sec-Fetch-Dest", "document"]
  ],
  otherSite: [
    ["Sec-Fetch-Site", "cross-site"],
    ["Sec-Fetch-Mode", "navigate"],
    ["Sec-Fetch-Dest", "document"],
    ["Referer", "https://evil.example/"]
  ],
  hostBeside: [
    ["Sec-Fetch-Site", "same-site"],
    ["Sec-Fetch-Mode", "navigate"],
    ["Sec-Fetch-Dest", "document"]
  ],
  nowhere: [
    ["Sec-Fetch-Site", "none"],
    ["Sec-Fetch-Mode", "navigate"],
    ["Sec-Fetch-Dest", "document"]
  ]
} as const satisfies Record<string, ReadonlyArray<Header>>

export interface Visit {
  readonly method?: string
  readonly headers?: ReadonlyArray<Header>
  readonly body?: string
  /** Replaces the site's own host. */
  readonly host?: string
}

// Browsers drop longer cookies, and those with an undeserved prefix (RFC 6265bis section 4.1.3).
const isKept = (name: string, value: string, attributes: string) => {
  if (name.length + value.length > 4_096) return false
  if (!/^__host-/i.test(name)) return true
  return /;\s*secure/i.test(attributes) && /;\s*path=\/(?:;|$)/i.test(attributes) && !/;\s*domain=/i.test(attributes)
}

export class Browser {
  readonly site: Door
  readonly cookies = new Map<string, string>()
  readonly #onResponse: (response: Wire.Response) => void

  constructor(site: Door, session: string | undefined, onResponse: (response: Wire.Response) => void = () => {}) {
    this.site = site
    this.#onResponse = onResponse
    if (session !== undefined) this.cookies.set("session", session)
  }

  /** The value of the `Cookie` header. */
  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ")
  }

  async visit(target: string, { body, headers = from.ownPage, host, method }: Visit = {}): Promise<Wire.Response> {
    const named = target.startsWith(`${this.site.origin}/`) ? target.slice(this.site.origin.length) : target
    const cookies: ReadonlyArray<Header> = this.cookie === "" ? [] : [["Cookie", this.cookie]]
    const all: ReadonlyArray<Header> = [["Host", host ?? new URL(this.site.origin).host], ...cookies, ...headers]
    const response = await Wire.send(this.site.port, { method, target: named, headers: all, body })
    this.#onResponse(response)
    for (const cookie of Wire.headersOf(response, "set-cookie")) this.#keep(cookie)
    return response
  }

  #keep(cookie: string) {
    const [, name = "", value = "", attributes = ""] = /^([^=;]+)=([^;]*)(.*)$/s.exec(cookie) ?? []
    if (!isKept(name, value, attributes)) return
    if (/max-age=(?:0|-\d+)(?:;|$)|expires=thu, 01 jan 1970/i.test(attributes)) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }
}

/** The cookie of a browser's first pending attempt. */
export const attemptCookie = ({ cookies }: Browser): readonly [name: string, value: string] =>
  [...cookies].find(([name]) => name !== "session") ?? ["", ""]

/** The cookie of an attempt with another return address in it. */
export const withNote = (value: string, note: string): string =>
  value.replace(/[^.]*$/, Buffer.from(note).toString("base64url"))
