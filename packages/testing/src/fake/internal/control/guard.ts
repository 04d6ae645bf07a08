/**
 * Protects the control page and the control API. The page shows secrets and changes things, and every site that the
 * user has open can send requests to this machine. So it checks the client's address, the host name (another site's
 * name may resolve to this machine), the site that sent the request, and a secret.
 */
import * as Mac from "effect/crypto/Mac"
import * as Cookies from "effect/http/Cookies"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import type { FakeRequest } from "../../FakeHttp.ts"
import * as CrossOrigin from "../crossOrigin.ts"
import * as ServedAt from "../servedAt.ts"

export interface Secrets {
  /** Opens the page once, and the API always. */
  readonly token: string
  /** The value of the browser's cookie. */
  readonly session: string
  /** The value in the page's forms. */
  readonly form: string
}

const encoder = new TextEncoder()

export const isSame = (given: string | undefined, secret: string): boolean =>
  given !== undefined && Mac.timingSafeEqual(encoder.encode(given), encoder.encode(secret))

const isLoopbackIp = (text: string): boolean => {
  // An IPv4 address, as an IPv6 socket shows it.
  const address = NetAddress.ipFromString(text.replace(/^::ffff:(?=\d+\.)/i, ""))
  return Result.isSuccess(address) && NetAddress.isLoopback(address.success)
}

/** True if a server is reachable only from its own machine. */
export const isLocal = (address: NetAddress.SocketAddress): boolean =>
  NetAddress.isUnixPathAddress(address) || NetAddress.isLoopback(address.address)

const isLoopbackHost = (host: string): boolean => {
  const name = ServedAt.nameOf(host) ?? ""
  return name === "localhost" || isLoopbackIp(name)
}

// A page of another local program may link here: a visit changes nothing, and that page cannot read it.
const isVisit = ({ headers, method }: FakeRequest): boolean =>
  method === "GET" && headers["sec-fetch-site"] === "same-site" && headers["sec-fetch-dest"] === "document"

/** The reason to reject a request because of where it comes from. */
export const foreign = (request: FakeRequest, isServerLocal: boolean): string | undefined => {
  const host = request.headers["host"] ?? ""
  if (request.address === undefined ? !isServerLocal : !isLoopbackIp(request.address)) {
    return "Only the machine that the fake runs on may open this."
  }
  if (!isLoopbackHost(host)) return "Open this as localhost or 127.0.0.1, not by another name."
  if (CrossOrigin.isForeign(request) && !isVisit(request)) {
    return "Another website has sent you here. Open the address yourself instead."
  }
  return undefined
}

export const isBearer = ({ headers }: FakeRequest, { token }: Secrets): boolean =>
  isSame(/^Bearer +(\S+) *$/i.exec(headers["authorization"] ?? "")?.[1], token)

// Ports of one machine share cookies.
const cookieName = ({ headers }: FakeRequest) => `fake-zapier-${/:(\d+)$/.exec(headers["host"] ?? "")?.[1] ?? "80"}`

export const isSignedIn = (request: FakeRequest, { session }: Secrets): boolean => {
  const cookies = Cookies.parseHeader(request.headers["cookie"] ?? "")
  return isSame(cookies[cookieName(request)], session)
}

/** The header that signs a browser in. */
export const cookie = (request: FakeRequest, { session }: Secrets, path: string): string =>
  `${cookieName(request)}=${session}; Path=${path}; HttpOnly; SameSite=Strict`
