/** Databases in files of their own. */
import { DatabaseSync } from "node:sqlite"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { problemOf } from "../../src/internal/sqlProblem.ts"

export const withFolder = <A, E, R>(use: (folder: string) => Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    return yield* use(yield* fs.makeTempDirectoryScoped({ prefix: "zapier-sqlite-" }))
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

export const keys = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ readonly k: string }>`SELECT k FROM t ORDER BY k`
  return rows.map((row) => row.k)
})

export const codeOf = (error: SqlError) => problemOf(error).match(/\((.*)\)/)?.[1]

// A second connection, as another process has it.
export const another = (filename: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new DatabaseSync(filename)),
    (database) => Effect.sync(() => database.close())
  )

export const building = <A, E>(layer: Layer.Layer<A, E>) => Effect.flip(Effect.scoped(Layer.build(layer)))
