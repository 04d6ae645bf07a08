import type * as GlobalFlag from "effect/cli/GlobalFlag"
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Stdio from "effect/Stdio"
import type * as Terminal from "effect/Terminal"
import type * as Flags from "../flags.ts"

/** What a check of `doctor` found: that all is well, that something is to be known, or that something is wrong. */
export interface Finding {
  readonly check: string
  readonly result: "ok" | "note" | "wrong"
  readonly says: string
}

export const ok = (check: string, says: string): Finding => ({ check, result: "ok", says })

export const note = (check: string, says: string): Finding => ({ check, result: "note", says })

export const wrong = (check: string, says: string): Finding => ({ check, result: "wrong", says })

type Services =
  | FileSystem.FileSystem
  | Path.Path
  | Stdio.Stdio
  | Terminal.Terminal
  | GlobalFlag.Setting.Identifier<"config">

/** Looks at one thing, or at some that belong together. What it finds is never an error. */
export type Check = (flags: Flags.Connection) => Effect.Effect<ReadonlyArray<Finding>, never, Services>
