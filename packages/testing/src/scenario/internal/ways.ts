/** The ways back to the app that users have from the consent page, and those that are not theirs. */
import type { Mutable } from "effect/Types"
import { type Authorization, type Subject, subjects } from "../ScenarioSeen.ts"

/** A way back. */
export interface Way {
  readonly callback: string
  readonly at: number
  /** How often the app had been started anew: what it has in memory may end with that. */
  readonly generation: number
  /** How it began; a stranger's has not begun in the app. */
  readonly authorization: Mutable<Authorization> | undefined
}

/** @param forge what a stranger has begun */
export const make = (forge: () => Way) => {
  const waiting = new Map<Subject, ReadonlyArray<Way>>()
  const used = new Map<Subject, Way>()

  const ofOther = (subject: Subject) =>
    subjects.flatMap((other) => (other === subject ? [] : (waiting.get(other) ?? []))).at(-1)

  return {
    /** The user has not come back yet. */
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
