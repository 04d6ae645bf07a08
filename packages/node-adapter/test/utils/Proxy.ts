/** A proxy of loopback: forwards requests, and tunnels by CONNECT. Every host is this machine to it. */
import { once } from "node:events"
import { createServer, request as httpRequest } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"

export interface Proxy {
  readonly port: number
  /** What was asked for: the method, and the host or URL. */
  readonly asked: ReadonlyArray<string>
  readonly close: () => Promise<void>
}

/** @param refuse a status with which to refuse everything */
export const start = async (refuse?: number): Promise<Proxy> => {
  const asked: Array<string> = []
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    if (refuse !== undefined) return void response.writeHead(refuse).end()
    const url = new URL(request.url ?? "")
    const { headers, method } = request
    const onward = httpRequest(
      { host: "127.0.0.1", port: url.port, path: url.pathname + url.search, method, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      }
    )
    onward.on("error", () => response.destroy())
    request.pipe(onward)
  })
  server.on("connection", (socket) => void sockets.add(socket))
  server.on("connect", (request, socket, head) => {
    asked.push(`CONNECT ${request.url}`)
    socket.on("error", () => {})
    if (refuse !== undefined) return void socket.end(`HTTP/1.1 ${refuse} No\r\ncontent-length: 0\r\n\r\n`)
    const onward = connect(Number(new URL(`http://${request.url}`).port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n")
      onward.write(head)
      onward.pipe(socket)
      socket.pipe(onward)
    })
    sockets.add(onward)
    onward.on("error", () => socket.destroy())
  })
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, "close")
    }
  }
}
