/**
 * Texts for the parts of a world, the same for parts that behave the same: times count from now, and secrets are called
 * by what they came from.
 *
 * Worlds share most of their parts with those that they came from. A part is looked at once for each time and process
 * that it is seen from, and its text stands as a number in the texts that contain it, so that these stay short.
 */
import { codeLifetime } from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import * as Redacted from "effect/Redacted"

/** What the texts depend on. */
export interface Seen {
  readonly now: number
  /** Tokens and codes by what they came from, so that the order of drawing makes no difference. */
  readonly names: { readonly [secret: string]: string }
}

// What has ended has ended, however long ago; to end just now is not the same for all.
const ahead = new Set(["expiresAt", "deadline", "notBefore", "until"])

// These say when something began, and the rest of the record follows from them or does not depend on them.
const past = new Set(["obtainedAt", "since", "startedAt", "receivedAt"])

interface Known {
  readonly now: number
  readonly me: string | undefined
  readonly id: number
}

export const make = () => {
  const ids = new Map<string, number>()
  const known = new WeakMap<object, Known>()

  const idOf = (text: string): number => {
    const id = ids.get(text)
    if (id !== undefined) return id
    ids.set(text, ids.size)
    return ids.size - 1
  }

  const remember = (part: object, { now }: Seen, me: string | undefined, text: () => string): number => {
    const entry = known.get(part)
    if (entry !== undefined && entry.now === now && entry.me === me) return entry.id
    const id = idOf(text())
    known.set(part, { now, me, id })
    return id
  }

  const textOf = (part: object, world: Seen, me: string | undefined): string => {
    let text = ""
    for (const [name, value] of Object.entries(part)) {
      if (past.has(name)) continue
      if (ahead.has(name)) text += `${Math.max(-1, Number(value) - world.now)},`
      else if (name === "arrivedAt") text += `${Math.max(0, Number(value) + codeLifetime - world.now)},`
      else if (name === "sentAt") text += `${world.now - Number(value)},`
      else if (name === "owner") text += value === me ? "me," : "other,"
      else text += `${atom(value, world, me)},`
    }
    return text
  }

  /** Everything that a value says, but for what makes no difference. `me` is the process that it is seen from. */
  const atom = (value: unknown, world: Seen, me: string | undefined): string => {
    if (typeof value === "string") return world.names[value] ?? value
    if (typeof value !== "object" || value === null) return String(value)
    if (Redacted.isRedacted(value)) return world.names[String(Redacted.value(value))] ?? "?"
    return `#${remember(value, world, me, () => textOf(value, world, me))}`
  }

  return { atom, idOf, remember }
}

/** An answer is its tokens; other bodies are told apart by their status. */
export const bodyText = (body: string | undefined, { names }: Seen): string =>
  Object.entries(names).find(([secret]) => body?.includes(secret))?.[1] ?? ""
