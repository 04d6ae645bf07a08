/** Which addresses of this machine a redirect URI leads to. */

/**
 * All that a browser may take for this host: `localhost` is one of two, and whoever listens on the other is sent the code.
 */
export const addressesOf = ({ hostname }: URL): readonly [string, ...Array<string>] =>
  hostname === "localhost" ? ["127.0.0.1", "::1"] : [hostname.replace(/^\[(.*)\]$/, "$1")]

/** Whether listening failed because this machine has no such address: one without IPv6 has no `::1`. */
export const isMissing = (cause: unknown): boolean =>
  cause instanceof Error && "code" in cause && (cause.code === "EADDRNOTAVAIL" || cause.code === "EAFNOSUPPORT")
