/** `status`: the connected users in the database. */
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
import * as Flags from "../flags.ts"
import { Inventory } from "../inventory.ts"
import { command, shown } from "../shown.ts"
import * as Storage from "../storage.ts"
import * as Table from "../table.ts"

export interface Input extends Flags.Server {
  readonly subject: Option.Option<string>
  readonly state: Option.Option<keyof typeof tags>
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
  NeverConnected: "Not connected.",
  Revoked: "Zapier no longer accepts the refresh token. The user must connect again.",
  ResponseLost: "The response to a refresh was lost. The user must connect again.",
  NoRefreshToken: "The access token expired, and Zapier gave no refresh token. The user must connect again."
} as const

const lost = "The response to the last refresh was lost. It is retried at the next use."

const failed = (cause: Pause.Cause): string => {
  switch (cause._tag) {
    case "RateLimited":
      return "Zapier's rate limit was reached"
    case "Unavailable":
      return `Zapier responded with ${cause.status}`
    case "Malformed":
      return `Zapier's response (status ${cause.status}) was malformed: ${cause.problem}`
    case "NotSent":
      return `Zapier could not be reached (${cause.code})`
    case "NoResponse":
      return "Zapier's response did not arrive"
  }
}

/** The last problem, or the operation under way. */
const noteOf = (grant: Grant, now: number): string | undefined => {
  switch (grant._tag) {
    case "ReconnectRequired":
      return why[grant.why]
    case "Refreshing":
      if (!Lease.isLive(grant.lease, now)) {
        return "The process that was refreshing it is gone. It is refreshed at the next use."
      }
      return grant.responseLost ? "Being refreshed, after a response was lost." : "Being refreshed."
    case "Active":
      if (Pause.isOn(grant.pause, now)) {
        const { cause, until } = grant.pause
        return `Not refreshed for another ${seconds(until - now)} (until ${timeOf(until)}): ${failed(cause)}.`
      }
      if (grant.responseLost) return lost
      return grant.tokens.refreshToken === undefined
        ? "It cannot be refreshed: Zapier gave no refresh token."
        : undefined
  }
}

const timeOf = (at: number) => DateTime.formatIso(DateTime.makeUnsafe(at))

const seconds = (millis: number) => `${Math.ceil(millis / 1_000)} s`

const timeLeft = (millis: number): string => {
  if (millis <= 0) return "expired"
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

// A subject that is not plain is quoted.
const plain = (text: string) => (/^[\w@.+:/-]+$/.test(text) ? text : shown(text))

const head = ["SUBJECT", "STATE", "TIME LEFT", "SCOPES"]

const rowOf = (entry: Entry, now: number): Table.Row => ({
  cells: [
    plain(entry.subject),
    words[entry._tag],
    ...(entry._tag === "Unreadable"
      ? ["", ""]
      : [timeLeft(entry.accessTokenExpiresAt - now), entry.scopes.map(plain).join(" ")])
  ],
  note: entry.note
})

// Connections of a page.
const limit = 100

const print = Effect.fnUntraced(function* (entries: ReadonlyArray<Entry>) {
  const now = yield* Clock.currentTimeMillis
  const [first] = entries
  if (first === undefined) return
  if (yield* Output.Json) return yield* Output.print(entries.map((entry) => JSON.stringify(entry)).join("\n"))
  const table = Table.format([{ cells: head }, ...entries.map((entry) => rowOf(entry, now))])
  yield* Output.print(`Client application ${plain(first.clientId)}:\n\n${table}\n`)
})

/** The connection of one user, if it is in that state. */
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
      yield* print(entries)
      count += entries.length
      after = page.next
    } while (after !== undefined)
  }
  return count
})

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

const nobody = (problem: string, run: string) => Output.note(`${sentence(problem)} Run:\n  ${run}`)

export const status = Effect.fnUntraced(function* (input: Input) {
  const storage = { dataDirectory: input.dataDirectory, keyFile: Option.none(), fake: input.fake }
  const nothing = yield* Storage.nothingStored(storage, input.subject)
  if (Option.isSome(nothing)) return yield* nobody(nothing.value.problem, nothing.value.run ?? command("login"))
  const count = yield* Effect.provide(all(input), Storage.layerReading(storage))
  if (count > 0) return
  const isFiltered = [input.subject, input.state, input.clientId].some(Option.isSome)
  return yield* isFiltered
    ? Output.note("No matching connections.")
    : nobody("nobody is connected.", command("login", Flags.typed(storage)))
})
