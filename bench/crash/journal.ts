/**
 * The database of a crash test, seen from outside: a journal of every committed state of each grant, kept by the
 * database itself, and the contents that a fresh connection finds after a kill.
 */
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import type { StoreError } from "@zapier-workflow-auth/core/store/VersionedStore"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SqlError } from "effect/sql/SqlError"
import type { Written } from "./verdict.ts"

export interface Row {
  readonly subject: string
  readonly record: string
}

export interface Looked {
  /** How many records are damaged. */
  readonly torn: number
  /** The subjects of lost grants. */
  readonly lost: ReadonlyArray<string>
  /** The damage of the database file. */
  readonly damage: ReadonlyArray<string>
}

export interface Journal {
  /** Makes the database keep the journal. The tables have to exist. */
  readonly install: Effect.Effect<void>
  /** Everything that was committed, in order. */
  readonly rows: Effect.Effect<ReadonlyArray<Row>>
  /**
   * Waits until the server has finished what a dead client sent. With SQLite, a dead process writes nothing more.
   */
  readonly settle: (process: string) => Effect.Effect<void>
  /** Opens the store as a new process would, and reads every grant in it; for SQLite, checks the whole file, too. */
  readonly look: (checkFile: boolean) => Effect.Effect<Looked, StoreError | ZapierAuthError | SqlError>
}

/** The intact records, and how many are damaged. */
export const decodeAll = (rows: ReadonlyArray<Row>) => {
  const written: Array<Written> = []
  for (const { record, subject } of rows) {
    const grant = RecordCodec.grant.decode(record)
    if (Option.isSome(grant)) written.push({ subject, grant: grant.value })
  }
  return { written, torn: rows.length - written.length }
}
