/** A proxy for Postgres that counts a client's connections and statements. */
import { createServer, connect, type AddressInfo, type Socket } from "node:net"

export interface Counts {
  readonly connections: number
  readonly statements: number
}

// Execute, and Query (https://www.postgresql.org/docs/current/protocol-message-formats.html).
const isStatement = (type: number) => type === 0x45 || type === 0x51

/** Reads messages from a stream, and reports the type of each. The first has none. */
const reader = (tell: (type: number) => void) => {
  let rest = Buffer.alloc(0)
  let isStarted = false
  return (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (true) {
      const head = isStarted ? 1 : 0
      if (rest.length < head + 4) return
      const length = head + rest.readUInt32BE(head)
      if (rest.length < length) return
      if (isStarted) tell(rest.readUInt8(0))
      isStarted = true
      rest = rest.subarray(length)
    }
  }
}

/** Starts it in front of the server at a URL. */
export const start = async (url: string) => {
  const target = new URL(url)
  const counts = { connections: 0, statements: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    counts.connections++
    const upstream = connect(Number(target.port), target.hostname)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      // The process ends without closing.
      socket.on("error", () => undefined)
    }
    const read = reader((type) => {
      if (isStatement(type)) counts.statements++
    })
    client.on("data", read)
    client.pipe(upstream)
    upstream.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const through = new URL(url)
  through.port = String((server.address() as AddressInfo).port)
  return {
    url: through.href,
    counts: (): Counts => ({ ...counts }),
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
