/** Distinguishes failures before anything was sent from those that may have come later. */
import * as Predicate from "effect/Predicate"

// How deeply platforms nest causes at most.
const maxDepth = 5

// System calls and lookups of Node before there is a connection.
const connecting = /^(?:connect|bind|socket|getaddrinfo|query\w*)$/

// Codes that occur only while connecting, for platforms that do not name the system call.
const connectCode =
  /^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_\w+|UND_ERR_CONNECT_TIMEOUT|UND_ERR_PRX_\w+)$/

// Codes of rejected server certificates. Node sends nothing before it accepts one.
const certificateCode =
  /^(?:(?:CERT|CRL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS_CERT)_\w+|ERROR_IN_C\w+|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED)$/

// OpenSSL's reasons for a failed handshake. Alerts that can follow data are excluded, such as `bad record mac` and, in TLS
// 1.3, `certificate required`.
const handshakeReason =
  /^(?:wrong version number|wrong ssl version|unsupported protocol|unknown protocol|no protocols available|version too low|http request|https proxy request|certificate verify failed|dh key too small|unsafe legacy renegotiation disabled|wrong signature type|tlsv1 unrecognized name|.+ alert (?:handshake failure|protocol version|insufficient security|unrecognized name|no application protocol))$/

const hungUpInHandshake = /before secure TLS connection was established/

const refusedByProxy = /^Proxy (?:response|Authentication Required) \((\d{3})\)/

const textOf = (error: object, name: "code" | "message" | "reason" | "syscall"): string | undefined => {
  const value = Predicate.hasProperty(error, name) ? error[name] : undefined
  return typeof value === "string" ? value : undefined
}

const sslCode = (error: object, message: string): string | undefined => {
  const reason = textOf(error, "reason") ?? /:SSL routines:[^:]*:([^:]+)/.exec(message)?.[1]
  return reason !== undefined && handshakeReason.test(reason)
    ? `ERR_SSL_${reason.toUpperCase().replaceAll(/\W/g, "_")}`
    : undefined
}

const codeOf = (error: object): string | undefined => {
  const code = textOf(error, "code")
  const message = textOf(error, "message") ?? ""
  if (code === undefined) return undefined
  const syscall = textOf(error, "syscall")
  if (syscall === undefined ? connectCode.test(code) : connecting.test(syscall)) return code
  if (certificateCode.test(code) || hungUpInHandshake.test(message)) return code
  const status = refusedByProxy.exec(message)?.[1]
  return status === undefined ? sslCode(error, message) : `PROXY_${status}`
}

/**
 * The code of a failure that certainly came before anything was sent, or `undefined`.
 *
 * Such failures are those of name resolution, connecting, TLS handshake, certificate, or a proxy that refused the request.
 *
 * @param error the platform's error. An `AggregateError` is certain if all of its `errors` are.
 */
export const neverSentCode = (error: unknown, depth = 0): string | undefined => {
  if (depth > maxDepth || !Predicate.isObject(error)) return undefined
  if (Predicate.hasProperty(error, "errors") && Array.isArray(error.errors) && error.errors.length > 0) {
    const codes = error.errors.map((one) => neverSentCode(one, depth + 1))
    return codes.includes(undefined) ? undefined : codes[0]
  }
  return codeOf(error) ?? (Predicate.hasProperty(error, "cause") ? neverSentCode(error.cause, depth + 1) : undefined)
}
