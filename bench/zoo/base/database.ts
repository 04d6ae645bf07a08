/** The tables of an app without the library. They survive its processes. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** A user's connection. */
export interface Row {
  readonly accessToken: string
  readonly refreshToken: string | undefined
  /** In milliseconds since the epoch. */
  readonly expiresAt: number
  /** Zapier has rejected the refresh token: the user has to connect again. */
  readonly isDead: boolean
}

/** A login that has begun. */
export interface Attempt {
  readonly subject: string
  readonly expiresAt: number
}

/** A process's exclusive right to a user's row, for a while. */
export interface Lease {
  readonly owner: object
  readonly until: number
}

/** All tables. */
export class Database extends Context.Service<
  Database,
  {
    readonly rows: Map<string, Row>
    readonly attempts: Map<string, Attempt>
    readonly leases: Map<string, Lease>
    /** Lists of Zaps that were shown, by user. */
    readonly lists: Map<string, ReadonlyArray<string>>
    /** The jobs' work, by user. */
    readonly jobs: Map<string, string>
  }
>()("zoo/Database") {
  static readonly layer = Layer.sync(Database, () =>
    Database.of({
      rows: new Map(),
      attempts: new Map(),
      leases: new Map(),
      lists: new Map(),
      jobs: new Map()
    })
  )
}
