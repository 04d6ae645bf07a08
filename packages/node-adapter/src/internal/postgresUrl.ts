/** What is wrong with the URL of a Postgres server, in words that show nothing of it: it holds a password. */
import { problemOf as problemOfText } from "./urlText.ts"

// A socket, which the driver knows by its path.
const isSocket = (url: string) => url === url.trim() && /^(?:\/|socket:)/.test(url)

export const problemOf = (url: unknown): string | undefined =>
  typeof url === "string" && isSocket(url)
    ? undefined
    : problemOfText(url, { scheme: /^postgres(ql)?:\/\//, begins: "postgres://" })
