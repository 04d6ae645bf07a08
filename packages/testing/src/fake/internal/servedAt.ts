/** Finds the URL of a served fake, so that its links lead back to it. */
import * as HttpServer from "effect/http/HttpServer"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import type { FakeRequest } from "../FakeHttp.ts"

/** The address of a server. A server on all addresses of a machine is reached as localhost. */
export const originOf = (address: NetAddress.SocketAddress): string =>
  NetAddress.isInetAddress(address) && NetAddress.isUnspecified(address.address)
    ? `http://localhost:${address.port}`
    : HttpServer.formatAddress(address)

/** The name in a `Host` header, without its port. */
export const nameOf = (host: string): string | undefined => {
  const [, v6, other] = /^(?:\[([\da-f:.]+)\]|([a-z\d.-]+))(?::\d{1,5})?$/i.exec(host) ?? []
  return (v6 ?? other)?.toLowerCase()
}

// Names that no stranger can own: those of a machine, of a network, or for tests.
const isOwn = (host: string): boolean => {
  const name = nameOf(host)
  if (name === undefined) return false
  return (
    !name.includes(".") || /\.(localhost|test|internal)$/.test(name) || Result.isSuccess(NetAddress.ipFromString(name))
  )
}

// A chain of gateways lists what each received, starting with the first.
const first = (header: string | undefined) => header?.split(",", 1)[0]?.trim()

/**
 * The URL under which the fake was called, without the path: by its `Host`, unless a stranger might own that name;
 * otherwise by its own address. A gateway sends the original host and protocol in `X-Forwarded-Host` and `-Proto`, and
 * a stripped path prefix in `X-Forwarded-Prefix`.
 */
export const baseOf = ({ headers }: Pick<FakeRequest, "headers">, address: NetAddress.SocketAddress) => {
  const host = first(headers["x-forwarded-host"]) ?? headers["host"] ?? ""
  const protocol = first(headers["x-forwarded-proto"]) === "https" ? "https" : "http"
  const given = first(headers["x-forwarded-prefix"])?.replace(/\/+$/, "") ?? ""
  const prefix = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*$/.test(given) ? given : ""
  const asked = `${protocol}://${host.toLowerCase()}`
  const origin = isOwn(host) && URL.canParse(asked) ? asked : originOf(address)
  // A server on a path of the file system has no address for links.
  return origin.startsWith("http") ? `${origin}${prefix}` : undefined
}
