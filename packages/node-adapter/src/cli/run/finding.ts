import type * as GlobalFlag from "effect/cli/GlobalFlag"
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Stdio from "effect/Stdio"
import type * as Terminal from "effect/Terminal"
import type * as Flags from "../flags.ts"

/** The result of a check of `doctor`. A note is no failure. */
export interface Finding {
  readonly check: string
  readonly result: "ok" | "note" | "failed"
  readonly says: string
}

export const ok = (check: string, says: string): Finding => ({ check, result: "ok", says })

export const note = (check: string, says: string): Finding => ({ check, result: "note", says })

export const failed = (check: string, says: string): Finding => ({ check, result: "failed", says })

type Services =
  | FileSystem.FileSystem
  | Path.Path
  | Stdio.Stdio
  | Terminal.Terminal
  | GlobalFlag.Setting.Identifier<"config">

/** Checks one thing, or several that belong together. It reports every problem as a finding, never as an error. */
export type Check = (flags: Flags.Connection) => Effect.Effect<ReadonlyArray<Finding>, never, Services>
