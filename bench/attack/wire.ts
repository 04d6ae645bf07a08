/**
 * HTTP on a socket, byte for byte, because other clients repair or reject an attacker's bytes. Each request has its own
 * connection.
 */
import { Buffer } from "node:buffer"
import { connect, type Socket } from "node:net"

export interface Response {
  /** 0 if the connection ended without a response, or none came in time. */
  readonly status: number
  readonly headers: ReadonlyArray<readonly [name: string, value: string]>
  readonly body: string
  /** The received bytes. */
  readonly raw: string
  /** True if the server still kept the connection open at the end of the wait. */
  readonly isOverdue: boolean
}

// Milliseconds without a byte. Ends only connections that hang.
const patience = 15_000

/** The values of a header, by its name in lower case. */
export const headersOf = ({ headers }: Response, name: string): ReadonlyArray<string> =>
  headers.flatMap(([other, value]) => (other === name ? [value] : []))

export const headerOf = (response: Response, name: string): string => headersOf(response, name).join(", ")

const unchunk = (body: string): string => {
  let text = ""
  let at = 0
  for (;;) {
    const end = body.indexOf("\r\n", at)
    const size = end === -1 ? 0 : Number.parseInt(body.slice(at, end), 16)
    if (!(size > 0)) return text
    text += body.slice(end + 2, end + 2 + size)
    at = end + 2 + size + 2
  }
}

/** Parses a response. Bytes are read as Latin-1, which preserves them. */
export const parse = (raw: string): Response => {
  const end = raw.indexOf("\r\n\r\n")
  const [first = "", ...lines] = raw.slice(0, end === -1 ? raw.length : end).split("\r\n")
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]
  // An interim response comes before the real one.
  if (status?.startsWith("1") === true && end !== -1) return parse(raw.slice(end + 4))
  const headers = lines.map((line) => {
    const colon = line.indexOf(":")
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  const isChunked = headers.some(([name, value]) => name === "transfer-encoding" && value === "chunked")
  const body = end === -1 ? "" : raw.slice(end + 4)
  return { status: Number(status ?? 0), headers, body: isChunked ? unchunk(body) : body, raw, isOverdue: false }
}

/** Opens a connection, which the caller has to close. */
export const open = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => resolve(socket))
    socket.once("error", reject)
  })

/** Reads until the server closes the connection. */
const read = (socket: Socket): Promise<Response> =>
  new Promise((resolve) => {
    const parts: Array<Buffer> = []
    let isOverdue = false
    const done = () => {
      socket.destroy()
      resolve({ ...parse(Buffer.concat(parts).toString("latin1")), isOverdue })
    }
    socket.on("data", (part: Buffer) => parts.push(part))
    // A server may respond, and close, before it has read everything.
    socket.on("error", done)
    socket.once("close", done)
    socket.setTimeout(patience, () => {
      isOverdue = true
      done()
    })
  })

/** Sends these bytes. */
export const sendRaw = async (port: number, bytes: string): Promise<Response> => {
  const socket = await open(port)
  const response = read(socket)
  socket.write(Buffer.from(bytes, "latin1"))
  return response
}

export interface Request {
  readonly method?: string | undefined
  readonly target: string
  readonly headers?: ReadonlyArray<readonly [name: string, value: string]> | undefined
  readonly body?: string | undefined
  readonly version?: string | undefined
}

export const bytesOf = ({ body = "", headers = [], method = "GET", target, version = "1.1" }: Request): string => {
  const length = body === "" && method !== "POST" ? [] : [["content-length", `${Buffer.byteLength(body, "latin1")}`]]
  const lines = [...headers, ...length, ["connection", "close"]].map(([name, value]) => `${name}: ${value}`)
  return `${method} ${target} HTTP/${version}\r\n${lines.join("\r\n")}\r\n\r\n${body}`
}

export const send = (port: number, request: Request): Promise<Response> => sendRaw(port, bytesOf(request))
