/** What is wrong with the URL of a server, in words that show nothing of it: it holds a password. */

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
  /** What such a URL begins with, in words. */
  readonly begins: string
  /** What else may be wrong with it. */
  readonly also?: (url: URL) => string | undefined
}

export const problemOf = (url: unknown, { also, begins, scheme }: Kind): string | undefined => {
  if (url === undefined || url === null) return "it is missing"
  if (typeof url !== "string") return "it is not text"
  if (url === "") return "it is empty"
  if (url !== url.trim()) return "it begins or ends with white space"
  if (!scheme.test(url)) return `it does not begin with ${begins}`
  if (!URL.canParse(url))
    return "it cannot be parsed: its host or port is wrong, or its password is not percent-encoded"
  const parsed = new URL(url)
  if (![parsed.password, parsed.username].every(isDecodable)) {
    return "its user name or password is not percent-encoded"
  }
  return also?.(parsed)
}
