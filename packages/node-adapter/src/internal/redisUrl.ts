/** Describes problems with a Redis URL without showing it, because it holds a password. */
import { problemOf as problemOfText } from "./urlText.ts"

const isDatabase = (text: string) => /^\d*$/.test(text)

const problemOfSocket = (url: string) => {
  const [, path, query] = /^unix:\/\/(?:[^/@]*@)?(\/[^?#]+)(?:\?([^#]*))?$/.exec(url) ?? []
  if (path === undefined) return "it names no socket"
  return isDatabase(new URLSearchParams(query).get("db") ?? "") ? undefined : "its db is not a number"
}

export const problemOf = (url: unknown): string | undefined => {
  if (typeof url === "string" && url.startsWith("unix:")) return problemOfSocket(url)
  return problemOfText(url, {
    scheme: /^rediss?:\/\//,
    begins: "redis:// or rediss://",
    also: ({ hostname, pathname }) => {
      if (hostname === "") return "it names no host"
      return isDatabase(pathname.slice(1)) ? undefined : "the part after the host is not a database number"
    }
  })
}
