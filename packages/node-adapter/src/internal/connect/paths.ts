/** Where the routes are below their own path, and by which method. */

/** A route: its method and its path. */
export type Route = readonly ["GET" | "POST", `/${string}`]

export const callbackPath = "/callback"

export const connect: Route = ["GET", "/connect"]
export const script: Route = ["GET", "/connect.js"]
export const callback: Route = ["GET", callbackPath]
export const disconnect: Route = ["POST", "/disconnect"]
export const status: Route = ["GET", "/status"]

const all: ReadonlyArray<Route> = [connect, script, callback, disconnect, status]

const decoded = (path: string): string => {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

/** The path of a URL without its origin, spelled as the router compares paths. */
export const ofUrl = (url: string): string =>
  decoded(url.replace(/[?#].*$/s, ""))
    .replace(/\/{2,}/g, "/")
    .replace(/\/$/, "")
    .toLowerCase()

/**
 * Whether a request is for one of the routes. The router serves `HEAD` as `GET`.
 *
 * @param path where the routes are
 */
export const isRoute = (path: string, { method, url }: Pick<Request, "method" | "url">): boolean => {
  const { pathname } = new URL(url)
  const asked = ofUrl(pathname)
  return all.some(
    ([own, route]) => own === (method === "HEAD" ? "GET" : method) && asked === `${path}${route}`.toLowerCase()
  )
}
