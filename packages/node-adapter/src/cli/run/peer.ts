/** The user of this machine at the other end of a connection, where the system tells: on Linux, by proc(5). */
import type { Socket } from "node:net"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

type Ports = Pick<Socket, "localPort" | "remotePort">

const portOf = (address = "") => Number.parseInt(address.split(":")[1] ?? "", 16)

/** The owners of the sockets with these two ports swapped, from the text of `/proc/net/tcp`. */
export const ownersIn = (text: string, { localPort, remotePort }: Ports): ReadonlyArray<number> =>
  text
    .split("\n")
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, remote]) => portOf(local) === remotePort && portOf(remote) === localPort)
    .map((fields) => Number(fields[7]))

/**
 * True if the other end belongs to another user. Root does not count, because root carries connections into virtual machines.
 * False where the system does not tell.
 */
export const isAnotherUser = Effect.fnUntraced(function* (socket: Ports) {
  const fs = yield* FileSystem.FileSystem
  const tables = yield* Effect.forEach(["/proc/net/tcp", "/proc/net/tcp6"], (path) =>
    Effect.orElseSucceed(fs.readFileString(path), () => "")
  )
  const owners = tables.flatMap((text) => ownersIn(text, socket))
  return owners.some((uid) => uid !== 0 && uid !== process.geteuid?.())
})
