/** What is wrong with the URL of a Postgres server, in words that show nothing of it: it holds a password. */

const isDecodable = (text: string) => {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false
  }
}

export const problemOf = (url: unknown): string | undefined => {
  if (url === undefined || url === null) return "it is missing"
  if (typeof url !== "string") return "it is not text"
  if (url === "") return "it is empty"
  if (url !== url.trim()) return "it begins or ends with white space"
  // A socket, which the driver knows by its path.
  if (url.startsWith("/") || url.startsWith("socket:")) return undefined
  if (!/^postgres(ql)?:\/\//.test(url)) return "it does not begin with postgres://"
  if (!URL.canParse(url))
    return "it cannot be parsed: its host or port is wrong, or its password is not percent-encoded"
  const { password, username } = new URL(url)
  return [username, password].every(isDecodable) ? undefined : "its user name or password is not percent-encoded"
}
