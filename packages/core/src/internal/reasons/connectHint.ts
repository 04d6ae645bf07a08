/** What to look at when nothing could be sent, by the code of the platform. */
const hints: ReadonlyArray<readonly [code: RegExp, hint: string]> = [
  [/EXPIRED|NOT_YET_VALID/, "The certificate is not valid at this machine's time: check its clock"],
  [
    /^(?:DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|CERT_|CRL_|INVALID_)|CERTIFICATE_VERIFY_FAILED/,
    "The certificate is not trusted here: if a proxy inspects TLS, let this process trust it (in Node: NODE_EXTRA_CA_CERTS)"
  ],
  [/ALTNAME|HOSTNAME|UNRECOGNIZED_NAME/, "The certificate is for another host: check the URL, DNS and any proxy"],
  [/^ERR_SSL_|^EPROTO$/, "There was no TLS connection: check the URL and port, and any proxy"],
  [/^ENOTFOUND$|^EAI_|SERVFAIL/, "The host name was not found: check the URL and DNS, or whether a proxy is needed"],
  [/^InvalidUrl/, "The URL is not valid: check the URLs that the library is given"],
  [/^PROXY_407$/, "The proxy wants credentials: put them in its URL (HTTPS_PROXY)"],
  [/^PROXY_|PRX/, "The proxy did not let it through: check the proxy and what it allows"],
  [
    /^E(?:CONN|HOST|NET|TIMEDOUT)|TIMEOUT/,
    "Check the network and the firewall, and whether a proxy is needed (HTTPS_PROXY)"
  ]
]

/** One sentence without its full stop. */
export const connectHint = (code: string): string =>
  hints.find(([pattern]) => pattern.test(code))?.[1] ?? "Check the network"
