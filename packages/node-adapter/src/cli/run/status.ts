/** `status`: who is connected, as the database has it. */
import { GrantStore, type Grant, type Key, type Unreadable } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import * as Pause from "@zapier-workflow-auth/core/machine/Pause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Application from "../application.ts"
import * as Output from "../output.ts"
import type * as Flags from "../flags.ts"
import { Inventory } from "../inventory.ts"
import { shown } from "../shown.ts"
import * as Storage from "../storage.ts"
import * as Table from "../table.ts"

export interface Input extends Flags.Server {
  readonly subject: Option.Option<string>
  readonly state: Option.Option<keyof typeof tags>
  readonly json: boolean
  readonly clientId: Option.Option<string>
  readonly dataDirectory: Option.Option<string>
}

const tags = { active: "Active", refreshing: "Refreshing", reconnect: "ReconnectRequired" } as const

const words = {
  Active: "active",
  Refreshing: "refreshing",
  ReconnectRequired: "reconnect",
  Unreadable: "unreadable"
} as const

const why = {
  NeverConnected: "not connected",
  Revoked: "Zapier no longer takes its refresh token: the user has to connect again",
  ResponseLost: "an earlier refresh brought no usable answer: the user has to connect again",
  NoRefreshToken: "it has ended, and Zapier gave no refresh token: the user has to connect again"
} as const

const lost = "its last refresh brought no usable answer; it is asked for once more when it is used"

const failed = (cause: Pause.Cause): string => {
  switch (cause._tag) {
    case "RateLimited":
      return "Zapier's rate limit was reached"
    case "Unavailable":
      return `Zapier responded with ${cause.status}`
    case "Malformed":
      return `Zapier's response (status ${cause.status}) could not be understood: ${cause.problem}`
    case "NotSent":
      return `Zapier could not be reached (${cause.code})`
    case "NoResponse":
      return "Zapier's response did not arrive"
  }
}

/** What last went wrong, or is going on. */
const noteOf = (grant: Grant, now: number): string | undefined => {
  switch (grant._tag) {
    case "ReconnectRequired":
      return why[grant.why]
    case "Refreshing":
      if (!Lease.isLive(grant.lease, now)) {
        return "the process that was renewing it is gone; another does so when it is used"
      }
      return grant.responseLost ? "being renewed, after a refresh that brought no usable answer" : "being renewed"
    case "Active":
      if (Pause.isOn(grant.pause, now)) {
        const { cause, until } = grant.pause
        return `not renewed for another ${seconds(until - now)} (until ${timeOf(until)}): ${failed(cause)}`
      }
      if (grant.responseLost) return lost
      return grant.tokens.refreshToken === undefined ? "cannot be renewed: Zapier gave no refresh token" : undefined
  }
}

const timeOf = (at: number) => DateTime.formatIso(DateTime.makeUnsafe(at))

const seconds = (millis: number) => `${Math.ceil(millis / 1_000)} s`

const timeLeft = (millis: number): string => {
  if (millis <= 0) return "ended"
  if (millis < 60_000) return seconds(millis)
  return Duration.format(Duration.minutes(Math.floor(millis / 60_000)))
}

const entryOf = ({ clientId, subject }: Key, grant: Grant, now: number) => ({
  clientId,
  subject,
  _tag: grant._tag,
  scopes: grant.tokens.scopes,
  /** Milliseconds since the epoch. */
  accessTokenExpiresAt: grant.tokens.expiresAt,
  secondsLeft: Math.max(0, Math.floor((grant.tokens.expiresAt - now) / 1_000)),
  generation: grant.generation,
  note: noteOf(grant, now)
})

const unreadableOf = ({ error, key }: Unreadable) => ({ ...key, _tag: "Unreadable" as const, note: error.message })

type Entry = ReturnType<typeof entryOf> | ReturnType<typeof unreadableOf>

// Subjects come from anywhere: one that is not plain is quoted.
const plain = (text: string) => (/^[\w@.+:/-]+$/.test(text) ? text : shown(text))

const head = ["CLIENT", "SUBJECT", "STATE", "TIME LEFT", "SCOPES", "NOTE"]

const rowOf = (entry: Entry, now: number) => [
  plain(entry.clientId),
  plain(entry.subject),
  words[entry._tag],
  ...(entry._tag === "Unreadable"
    ? ["", ""]
    : [timeLeft(entry.accessTokenExpiresAt - now), entry.scopes.map(plain).join(" ")]),
  entry.note ?? ""
]

// Grants of a page.
const limit = 100

const print = Effect.fnUntraced(function* (entries: ReadonlyArray<Entry>, json: boolean, isFirst: boolean) {
  if (json) return yield* Effect.forEach(entries, (entry) => Output.print(JSON.stringify(entry)), { discard: true })
  const now = yield* Clock.currentTimeMillis
  if (entries.length === 0) return
  const table = Table.format(
    head,
    entries.map((entry) => rowOf(entry, now))
  )
  yield* Output.print(isFirst ? table : table.slice(table.indexOf("\n") + 1))
})

/** One user's grant, if it is there and in the state that is asked for. */
const one = Effect.fnUntraced(function* (key: Key, state: Grant["_tag"] | undefined) {
  const found = yield* (yield* GrantStore).get(key)
  return Option.toArray(found)
    .filter(({ value }) => state === undefined || value._tag === state)
    .map((grant) => ({ key, grant }))
})

const all = Effect.fnUntraced(function* (input: Input) {
  const inventory = yield* Inventory
  if (!(yield* inventory.isUsed)) return 0
  const store = yield* GrantStore
  const only = yield* Application.clientId(input)
  const clientIds = Option.isSome(only) ? [only.value] : yield* inventory.clientIds
  const state = Option.getOrUndefined(Option.map(input.state, (name) => tags[name]))
  let count = 0
  for (const clientId of clientIds) {
    let after: string | undefined
    do {
      const page = Option.isSome(input.subject)
        ? { entries: yield* one({ clientId, subject: input.subject.value }, state), unreadable: [], next: undefined }
        : yield* store.page({ clientId, state, after, limit })
      const now = yield* Clock.currentTimeMillis
      const entries = [
        ...page.entries.map(({ grant, key }) => entryOf(key, grant.value, now)),
        ...(page.unreadable ?? []).map(unreadableOf)
      ]
      yield* print(entries, input.json, count === 0)
      count += entries.length
      after = page.next
    } while (after !== undefined)
  }
  return count
})

export const status = Effect.fnUntraced(function* (input: Input) {
  const storage = { dataDirectory: input.dataDirectory, keyFile: Option.none(), fake: input.fake }
  const count = yield* Effect.provide(all(input), Storage.layerReading(storage))
  if (count === 0 && !input.json) yield* Output.note("No grant is there that is asked for.")
})
