/** Describes problems with a server's URL without showing it, because it holds a password. */

const isDecodable = (text: string) => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

interface Kind {
  readonly scheme: RegExp
  /** The beginning of such a URL, in words. */
  readonly begins: string
  /** Finds further problems. */
  readonly also?: (url: URL) => string | undefined
}

export const problemOf = (url: unknown, { also, begins, scheme }: Kind): string | undefined => {
  if (url === undefined || url === null) return "it is missing"
  if (typeof url !== "string") return "it is not text"
  if (url === "") return "it is empty"
  if (url !== url.trim()) return "it begins or ends with white space"
  if (!scheme.test(url)) return `it must begin with ${begins}`
  if (!URL.canParse(url))
    return "it cannot be parsed: its host or port is wrong, or its password is not percent-encoded"
  const parsed = new URL(url)
  if (![parsed.password, parsed.username].every(isDecodable)) {
    return "its user name or password is not percent-encoded"
  }
  return also?.(parsed)
}
