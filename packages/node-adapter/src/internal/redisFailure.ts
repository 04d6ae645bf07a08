/** Describes Redis errors without keys, arguments or secrets. */
import * as Predicate from "effect/Predicate"
import { RedisError } from "effect/persistence/Redis"

/** A sanitized failure. `code` is one of `problems` below, the first word of a reply, or Node's error code. */
export class RedisFailure extends Error {
  override readonly name = "RedisFailure"
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

const disconnected = "there is no connection to the server"

const cluster = "the server is part of a cluster: use RedisClient.layerCluster"

// By the first word of a reply, or the code of this library or of Node.
const problems: { readonly [code: string]: string } = {
  ASK: cluster,
  BUSY: "the server is busy with a script",
  CLOSED: "the connection has been closed",
  CLUSTERDOWN: "a part of the cluster is down",
  CROSSSLOT: cluster,
  ETIMEDOUT: "the server took too long to respond",
  LOADING: "the server is still loading its data",
  MASTERDOWN: "the primary server is down",
  MISCONF: "the server cannot save to its disk, and refuses writes",
  MOVED: cluster,
  NOAUTH: "the server requires a password",
  NOPERM: "the server does not allow this to its user",
  NOREPLICAS: "too few replicas are connected, and the server refuses writes",
  NOSCRIPT: "the server has forgotten the script",
  OOM: "the server has no memory left, and refuses writes: raise its maxmemory",
  READONLY: "the server is a read-only replica: give the URL of the primary",
  TRYAGAIN: "the cluster is moving these keys",
  WRONGPASS: "the server refused the user name or password",
  WRONGTYPE: "a key holds something else: another program writes to keys that begin with zapier:"
}

// Before Redis 7, a script's error reply contains that of its command.
const word = new RegExp(`(?:^|[ -])(${Object.keys(problems).join("|")})(?= |$)`)

const isNodeCode = (u: unknown): u is string => typeof u === "string" && /^[A-Z][A-Z0-9_]{2,40}$/.test(u)

const messageOf = (cause: unknown) => (Predicate.hasProperty(cause, "message") ? String(cause.message) : "")

/** The code of an error. Nothing else is safe to show, because replies repeat arguments such as records. */
const codeOf = (cause: unknown): string => {
  if (cause instanceof RedisFailure) return cause.code
  if (cause instanceof RedisError) return codeOf(cause.cause)
  if (Predicate.hasProperty(cause, "code") && isNodeCode(cause.code)) return cause.code
  const message = messageOf(cause)
  const [, found] = word.exec(message) ?? []
  if (found !== undefined) return found
  if (message.startsWith("ERR")) return "ERR"
  return /^(Connection|Socket) timeout/.test(message) ? "ETIMEDOUT" : "ECONNRESET"
}

/** Describes an error, for the `problem` of a `StoreFailed`. */
export const problemOf = (cause: unknown): string => {
  const code = codeOf(cause)
  if (code === "ERR") return "the server refused the command"
  return `${isDisconnected(cause) ? disconnected : problems[code]} (${code})`
}

/** True if there was no connection, or it broke. */
export const isDisconnected = (cause: unknown): boolean => {
  const code = codeOf(cause)
  return code !== "ERR" && !Object.hasOwn(problems, code)
}

/** True if the server understood the command but refuses it for this user. */
export const isRefusal = (cause: unknown): boolean => ["ERR", "NOPERM"].includes(codeOf(cause))

/** Removes everything from an error that may hold a secret. */
export const sanitized = (cause: unknown): RedisFailure =>
  cause instanceof RedisFailure ? cause : new RedisFailure(codeOf(cause))
