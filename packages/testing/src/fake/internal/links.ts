/** The targets of the fake's links: the fake itself if it is served, otherwise Zapier's own address. */
import type { FakeRequest } from "../FakeHttp.ts"

/** Zapier's own address. */
export const production = "https://api.zapier.com"

/** The URL of a path, as the sender of the request can follow it. */
export const to = ({ base = production }: FakeRequest, path: string): string => `${base}${path}`

/** A path as a browser sees it: a gateway may have stripped a prefix. */
export const pathTo = ({ base }: FakeRequest, path: string): string =>
  base === undefined ? path : `${new URL(base).pathname.replace(/\/$/, "")}${path}`
