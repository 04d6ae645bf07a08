/**
 * A crash test's journal in Redis: its append-only file, which contains each acknowledged write. After a crash, the
 * server removes a torn end when it starts again.
 */
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { GrantStore } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Effect from "effect/Effect"
import { Redis } from "effect/persistence/Redis"
import * as Database from "../database.ts"
import type { Journal, Row } from "./journal.ts"
import { application, real } from "./settings.ts"

/** The commands in a file, each a list of texts with their lengths, as in the protocol. */
const commandsIn = function* (file: Buffer) {
  let at = 0
  const line = () => {
    const end = file.indexOf("\r\n", at)
    const text = file.toString("latin1", at, end)
    at = end + 2
    return text
  }
  while (at < file.length) {
    const count = Number(line().slice(1))
    yield Array.from({ length: count }, () => {
      const length = Number(line().slice(1))
      const text = file.toString("utf8", at, at + length)
      at += length + 2
      return text
    })
  }
}

const grantKey = /^zapier:\{c[^}]*\}:grant:(.*)$/s

/** The written grants, in order. */
const rowsIn = (file: Buffer): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  for (const [command, key = "", ...fields] of commandsIn(file)) {
    const subject = grantKey.exec(key)?.[1]
    const record = fields[fields.indexOf("record") + 1]
    if (command?.toUpperCase() === "HSET" && subject !== undefined && record !== undefined)
      rows.push({ subject, record })
  }
  return rows
}

const readRows = async (directory: string) => {
  const folder = join(directory, "appendonlydir")
  const names = (await readdir(folder)).filter((name) => name.endsWith(".incr.aof")).sort()
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))))
  return files.flatMap(rowsIn)
}

const isConnected = (name: string) =>
  Effect.map(
    Redis.use((redis) => redis.send<string>("CLIENT", "LIST")),
    (list) => list.includes(` name=${name} `)
  )

const looking = Effect.gen(function* () {
  const grants = yield* GrantStore
  const { clientId } = application
  const { unreadable = [] } = yield* grants.page({ clientId, limit: 1_000 })
  const lost = yield* grants.page({ clientId, state: "ReconnectRequired", limit: 1_000 })
  return { torn: unreadable.length, lost: lost.entries.map(({ key }) => key.subject), damage: [] }
})

type RedisDatabase = Extract<Database.Database, { readonly kind: "redis" }>

export const make = (database: RedisDatabase): Journal => ({
  install: Effect.void,
  rows: Effect.promise(() => readRows(database.directory)),
  settle: (process) =>
    isConnected(process).pipe(
      Effect.tap((isThere) => (isThere ? Effect.sleep(real(10)) : Effect.void)),
      Effect.repeat({ while: (isThere) => isThere }),
      Effect.provide(Database.layerRedis(database, { name: "crash-settle" })),
      Effect.orDie,
      Effect.asVoid
    ),
  look: () => Effect.provide(looking, Database.stores(database, { name: "crash-look" }))
})
