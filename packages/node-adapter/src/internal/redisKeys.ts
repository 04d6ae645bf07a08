/**
 * The keys in Redis, all of which begin with `zapier:`. The part in braces determines a key's server in a cluster, so that all
 * keys of one script are on the same. Subjects and scopes are escaped as for databases; client ids are in base64url, because
 * they may contain braces.
 */
import { escape, unescape } from "@zapier-workflow-auth/core/store/KeyText"

/** All keys of a client application. */
export const application = (clientId: string) => {
  const place = `zapier:{c${Buffer.from(escape(clientId)).toString("base64url")}}`
  return {
    /** The highest version so far. */
    floor: `${place}:version`,
    grant: (subject: string) => `${place}:grant:${escape(subject)}`,
    /** The subjects of all grants, in order. */
    subjects: `${place}:subjects`,
    subjectsIn: (state: string) => `${place}:subjects:${state}`,
    appCredential: (scopes: string) => `${place}:app:${escape(scopes)}`
  }
}

const attemptsPlace = "zapier:{attempts}"

/** All keys of consent attempts. */
export const attempts = {
  floor: `${attemptsPlace}:version`,
  attempt: (digest: string) => `${attemptsPlace}:attempt:${escape(digest)}`,
  /** Matches the keys of all attempts, for `SCAN`. */
  pattern: `${attemptsPlace}:attempt:*`,
  /** The attempts of a subject, the oldest first. */
  of: (subject: string) => `${attemptsPlace}:of:${escape(subject)}`
}

/** The client applications that have had grants. */
export const clientIds = "zapier:clients"

/** Converts text to a member of a sorted set, which orders members by bytes. */
export const toMember: (text: string) => string = escape

export const ofMember: (member: string) => string = unescape
