/** Describes problems with a Postgres URL without showing it, because it holds a password. */
import { problemOf as problemOfText } from "./urlText.ts"

// The driver accepts a socket by its path.
const isSocket = (url: string) => url === url.trim() && /^(?:\/|socket:)/.test(url)

export const problemOf = (url: unknown): string | undefined =>
  typeof url === "string" && isSocket(url)
    ? undefined
    : problemOfText(url, { scheme: /^postgres(ql)?:\/\//, begins: "postgres://" })
