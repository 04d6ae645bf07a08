/** Readable names for secrets: `ada#2` is the second pair of tokens that was issued to ada. */
import type { History, Subject } from "../ScenarioHistory.ts"

type Secrets = Pick<History, "secrets">

/** The name of a secret. */
export const nameOf = ({ secrets }: Secrets, secret: string | undefined): string | undefined =>
  secret === undefined ? undefined : (/\((.+)\)$/.exec(secrets.get(secret) ?? "")?.[1] ?? "unknown")

/** A browser of a user: the first, or the second. */
export const browserOf = (subject: Subject | undefined, isElsewhere = false): string =>
  subject === undefined ? "nobody" : `${subject}'s ${isElsewhere ? "other " : ""}browser`

/** Replaces each secret by its name. */
export const hiding = ({ secrets }: Secrets): ((text: string) => string) => {
  // One secret may be a part of another.
  const all = [...secrets].toSorted(([one], [other]) => other.length - one.length)
  return (text) =>
    all.reduce(
      (text, [secret, what]) =>
        text.replaceAll(secret, () => `<${what}>`).replaceAll(encodeURIComponent(secret), () => `<${what}>`),
      text
    )
}
