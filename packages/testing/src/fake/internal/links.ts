/** The targets of the fake's links: the fake itself if it is served, otherwise Zapier's own address. */
import type { FakeRequest } from "../FakeHttp.ts"

/** Zapier's own address. */
export const production = "https://api.zapier.com"

/** The URL of a path, as the sender of the request can follow it. */
export const to = ({ base = production }: FakeRequest, path: string): string => `${base}${path}`

/** A path as a browser sees it: a gateway may have stripped a prefix. */
export const pathTo = ({ base }: FakeRequest, path: string): string =>
  base === undefined ? path : `${new URL(base).pathname.replace(/\/$/, "")}${path}`

/**
 * A redirect URI with what the browser brings back. The query that it has is retained as it is (RFC 6749 section 3.1.2).
 */
export const returning = (redirectUri: string, entries: { readonly [name: string]: string | undefined }): string => {
  const added = new URLSearchParams()
  for (const [name, value] of Object.entries(entries)) if (value !== undefined) added.append(name, value)
  return `${redirectUri}${redirectUri.includes("?") ? "&" : "?"}${added}`
}
