/** Advice when nothing could be sent, by the platform's error code. */
const hints: ReadonlyArray<readonly [code: RegExp, hint: string]> = [
  [/EXPIRED|NOT_YET_VALID/, "The certificate is not valid at this machine's time: check the clock"],
  [
    /^(?:DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_|CRL_|INVALID_)|CERTIFICATE_VERIFY_FAILED/,
    "The certificate is not trusted here: if a proxy inspects TLS, let this process trust it (in Node: NODE_EXTRA_CA_CERTS)"
  ],
  [/ALTNAME|HOSTNAME|UNRECOGNIZED_NAME/, "The certificate is for another host: check the URL, DNS and any proxy"],
  [/^ERR_SSL_|^EPROTO$/, "The TLS connection failed: check the URL, the port and any proxy"],
  [/^ENOTFOUND$|^EAI_|SERVFAIL/, "The host name was not found: check the URL and DNS, or configure a proxy"],
  [/^InvalidUrl/, "The URL is invalid: check the configured URLs"],
  [/^PROXY_407$/, "The proxy requires credentials: put them in its URL (HTTPS_PROXY)"],
  [/^PROXY_|PRX/, "The proxy refused the connection: check the proxy and its rules"],
  [/^E(?:CONN|HOST|NET|TIMEDOUT)|TIMEOUT/, "Check the network and the firewall, or configure a proxy (HTTPS_PROXY)"]
]

/** Returns one sentence, without its full stop. */
export const connectHint = (code: string): string =>
  hints.find(([pattern]) => pattern.test(code))?.[1] ?? "Check the network"
