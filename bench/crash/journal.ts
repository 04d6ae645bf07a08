/**
 * The database of a crash test, seen from outside: a journal of each state of each grant that was ever committed, kept by
 * the database itself, and what a fresh connection finds after a kill.
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
  /** How many records are not whole. */
  readonly torn: number
  /** Whose grants are lost. */
  readonly lost: ReadonlyArray<string>
  /** What is wrong with the file of the database. */
  readonly damage: ReadonlyArray<string>
}

export interface Journal {
  /** Has the database keep the journal. The tables have to be there. */
  readonly install: Effect.Effect<void>
  /** All that was committed, in order. */
  readonly rows: Effect.Effect<ReadonlyArray<Row>>
  /**
   * A server carries on with what a dead client has sent: waits until it has done with it. For SQLite, who is dead writes
   * nothing more.
   */
  readonly settle: (process: string) => Effect.Effect<void>
  /** Opens the store as a new process would, and looks at every grant in it; at the whole file, too, if it is SQLite's. */
  readonly look: (checkFile: boolean) => Effect.Effect<Looked, StoreError | ZapierAuthError | SqlError>
}

/** The records that are whole, and how many are not. */
export const decodeAll = (rows: ReadonlyArray<Row>) => {
  const written: Array<Written> = []
  for (const { record, subject } of rows) {
    const grant = RecordCodec.grant.decode(record)
    if (Option.isSome(grant)) written.push({ subject, grant: grant.value })
  }
  return { written, torn: rows.length - written.length }
}
