/** The routes' methods, and paths below their common path. */

/** A route: its method and its path. */
export type Route = readonly ["GET" | "POST", `/${string}`]

export const callbackPath = "/callback"

/** The common path of White Label's routes, below that of the others. */
export const connections = "/connections"

export const connect: Route = ["GET", "/connect"]
export const script: Route = ["GET", "/connect.js"]
export const callback: Route = ["GET", callbackPath]
export const disconnect: Route = ["POST", "/disconnect"]
export const status: Route = ["GET", "/status"]

const all: ReadonlyArray<Route> = [connect, script, callback, disconnect, status]

const ofConnections: ReadonlyArray<Route> = [connect, callback].map(([method, path]) => [
  method,
  `${connections}${path}`
])

const decoded = (path: string): string => {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}

/** The path of a URL, normalized as the router compares paths. */
export const ofUrl = (url: string): string =>
  decoded(url.replace(/[?#].*$/s, ""))
    .replace(/\/{2,}/g, "/")
    .replace(/\/$/, "")
    .toLowerCase()

/**
 * True if a request is for one of the routes. The router serves `HEAD` like `GET`.
 *
 * @param config `path` is the common path of the routes
 */
export const isRoute = (
  { path, whiteLabel }: { readonly path: string; readonly whiteLabel?: unknown },
  { method, url }: Pick<Request, "method" | "url">
): boolean => {
  const { pathname } = new URL(url)
  const asked = ofUrl(pathname)
  return [...all, ...(whiteLabel === undefined ? [] : ofConnections)].some(
    ([own, route]) => own === (method === "HEAD" ? "GET" : method) && asked === `${path}${route}`.toLowerCase()
  )
}
