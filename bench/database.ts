/** A database that processes share: a file in a directory of its own, or a Postgres of its own. It is gone afterwards. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as PostgresClient from "@zapier-workflow-auth/node-adapter/stores/PostgresClient"
import * as SqliteClient from "@zapier-workflow-auth/node-adapter/stores/SqliteClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { StoreKind } from "./kinds.ts"
import * as EmbeddedPostgres from "../packages/node-adapter/test/utils/EmbeddedPostgres.ts"

/** Where it is, for each process that opens it. */
export type Database =
  | { readonly kind: "sqlite"; readonly directory: string }
  | { readonly kind: "postgres"; readonly url: string }

const sqlite = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "zapier-bench-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
).pipe(Effect.map((directory): Database => ({ kind: "sqlite", directory })))

const postgres = Effect.acquireRelease(
  Effect.promise(async () => {
    const embedded = await EmbeddedPostgres.load()
    if (typeof embedded === "string") throw new Error(embedded)
    return await EmbeddedPostgres.launch(embedded)
  }),
  ({ end }) => Effect.promise(end)
).pipe(Effect.map(({ url }): Database => ({ kind: "postgres", url })))

/** A new one, until the scope ends. */
export const make = (kind: StoreKind) => (kind === "sqlite" ? sqlite : postgres)

interface Options {
  /** Under which name Postgres lists the connections. */
  readonly name?: string | undefined
}

// How long to wait for the database. The library's own limits are shorter: a busy machine exceeds them. Enough also for a
// clock that goes ten times as fast.
const patience = "10 minutes"

/** Connections to it: few, because all processes together have to get by with the hundred that Postgres allows. */
export const layer = (database: Database, { name = "bench" }: Options = {}) =>
  database.kind === "sqlite"
    ? SqliteClient.layerDefault({ directory: database.directory, busyTimeout: patience })
    : PostgresClient.layer({
        url: Redacted.make(database.url),
        applicationName: name,
        maxConnections: 4,
        connectTimeout: patience,
        statementTimeout: patience
      })
