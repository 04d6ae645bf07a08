/** The addresses of this machine that a redirect URI leads to. */

/** Every address that a browser may use for this host: for `localhost` it takes either of two. */
export const addressesOf = ({ hostname }: URL): readonly [string, ...Array<string>] =>
  hostname === "localhost" ? ["127.0.0.1", "::1"] : [hostname.replace(/^\[(.*)\]$/, "$1")]

/** True if this machine lacks the address: without IPv6 it has no `::1`. */
export const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "EADDRNOTAVAIL" || cause.code === "EAFNOSUPPORT")
