import { describe, expect, it } from "@effect/vitest"
import { neverSentCode } from "../../src/internal/neverSent.ts"

const error = (properties: object, message = "no") => Object.assign(new Error(message), properties)

const refused = error({ code: "ECONNREFUSED", syscall: "connect" }, "connect ECONNREFUSED 127.0.0.1:1")
const timedOut = error({ code: "ETIMEDOUT", syscall: "connect" }, "connect ETIMEDOUT 192.0.2.1:443")
const reset = error({ code: "ECONNRESET", syscall: "read" }, "read ECONNRESET")
const both = (...errors: ReadonlyArray<unknown>) => Object.assign(new AggregateError(errors), { code: "ETIMEDOUT" })

const ssl = (reason: string) =>
  error({ library: "SSL routines", reason, code: `ERR_SSL_${reason.toUpperCase().replaceAll(/\s/g, "_")}` })

describe("neverSent", () => {
  it.each([
    ["a refused connection", refused, "ECONNREFUSED"],
    ["a connection that times out", timedOut, "ETIMEDOUT"],
    ["a reset while connecting", error({ code: "ECONNRESET", syscall: "connect" }), "ECONNRESET"],
    ["a name that is not known", error({ code: "ENOTFOUND", syscall: "getaddrinfo" }), "ENOTFOUND"],
    ["a name server that fails", error({ code: "ESERVFAIL", syscall: "queryA" }), "ESERVFAIL"],
    ["a platform that names no system call", error({ code: "ECONNREFUSED" }), "ECONNREFUSED"],
    ["undici's own time limit", error({ code: "UND_ERR_CONNECT_TIMEOUT" }), "UND_ERR_CONNECT_TIMEOUT"],
    ["two addresses that both time out", both(timedOut, timedOut), "ETIMEDOUT"],
    ["addresses that fail each in their way", both(both(timedOut, refused), refused), "ETIMEDOUT"],
    [
      "an issuer that is not known",
      error({ code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY" }),
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"
    ],
    ["a certificate of tomorrow", error({ code: "CERT_NOT_YET_VALID" }), "CERT_NOT_YET_VALID"],
    ["a certificate for another host", error({ code: "HOSTNAME_MISMATCH" }), "HOSTNAME_MISMATCH"],
    ["plain HTTP on a port of TLS", ssl("wrong version number"), "ERR_SSL_WRONG_VERSION_NUMBER"],
    ["another version of TLS", ssl("tlsv1 alert protocol version"), "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION"],
    ["a handshake that is refused", ssl("ssl/tls alert handshake failure"), "ERR_SSL_SSL_TLS_ALERT_HANDSHAKE_FAILURE"],
    [
      "a handshake that fails under a write that waits for it",
      error(
        { code: "EPROTO", syscall: "write" },
        "write EPROTO 40DD:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../ssl/record.c:80:\n"
      ),
      "ERR_SSL_WRONG_VERSION_NUMBER"
    ],
    [
      "a server that hangs up in the handshake",
      error(
        { code: "ECONNRESET", host: "localhost" },
        "Client network socket disconnected before secure TLS connection was established"
      ),
      "ECONNRESET"
    ],
    [
      "a proxy that refuses",
      error({ code: "UND_ERR_ABORTED" }, "Proxy response (407) !== 200 when HTTP Tunneling"),
      "PROXY_407"
    ],
    [
      "a proxy that wants credentials for plain HTTP",
      error({ code: "UND_ERR_INVALID_ARG" }, "Proxy Authentication Required (407)"),
      "PROXY_407"
    ],
    ["a proxy that hangs up", error({ code: "UND_ERR_PRX_CONN" }), "UND_ERR_PRX_CONN"],
    ["the cause of a cause", new TypeError("fetch failed", { cause: error({ cause: refused }) }), "ECONNREFUSED"]
  ])("is certain of %s", (_, cause, code) => {
    expect(neverSentCode(cause)).toBe(code)
  })

  it.each([
    ["a reset connection", reset],
    ["a host that is gone when the response is read", error({ code: "EHOSTUNREACH", syscall: "read" })],
    ["a connection that goes silent", error({ code: "ETIMEDOUT", syscall: "read" })],
    ["addresses of which one may have received it", both(timedOut, reset)],
    ["an aggregate of nothing", both()],
    ["an alert that can follow data", ssl("ssl/tls alert bad record mac")],
    ["an alert that TLS 1.3 sends after data", ssl("tlsv13 alert certificate required")],
    ["a broken TLS connection", ssl("unexpected eof while reading")],
    [
      "a write that fails",
      error({ code: "EPROTO", syscall: "write" }, "write EPROTO 40DD:error:0A0003FC:SSL routines:f:x:y")
    ],
    ["a response that takes too long", error({ code: "UND_ERR_HEADERS_TIMEOUT" })],
    ["a closed socket", error({ code: "UND_ERR_SOCKET" }, "other side closed")],
    ["a request that was aborted", error({ code: "UND_ERR_ABORTED" }, "Request aborted")],
    ["nothing", undefined]
  ])("is not certain of %s", (_, cause) => {
    expect(neverSentCode(cause)).toBeUndefined()
  })
})
