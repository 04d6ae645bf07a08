/** The callbacks from the consent page, of the app's users and of a stranger. */
import type { Mutable } from "effect/Types"
import { type Authorization, type Subject, subjects } from "../ScenarioHistory.ts"

/** A callback from the consent page. */
export interface Way {
  readonly callback: string
  readonly at: number
  /** How often the app had been restarted: a restart may lose an attempt kept in memory. */
  readonly generation: number
  /** Its login; a stranger's did not begin in the app. */
  readonly authorization: Mutable<Authorization> | undefined
}

/** @param forge makes a stranger's callback */
export const make = (forge: () => Way) => {
  const waiting = new Map<Subject, ReadonlyArray<Way>>()
  const used = new Map<Subject, Way>()

  const ofOther = (subject: Subject) =>
    subjects.flatMap((other) => (other === subject ? [] : (waiting.get(other) ?? []))).at(-1)

  return {
    /** Keeps a callback for later. */
    keep: (subject: Subject, way: Way) => void waiting.set(subject, [...(waiting.get(subject) ?? []), way]),

    use: (subject: Subject, way: Way) => void used.set(subject, way),

    of: (subject: Subject, which: "Own" | "Again" | "Other" | "Forged"): Way | undefined => {
      const own = waiting.get(subject) ?? []
      switch (which) {
        case "Own":
          waiting.set(subject, own.slice(0, -1))
          return own.at(-1)
        case "Again":
          return used.get(subject)
        case "Other":
          return ofOther(subject)
        case "Forged":
          return forge()
      }
    }
  }
}
