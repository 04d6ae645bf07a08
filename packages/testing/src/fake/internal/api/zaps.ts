/** Users' Zaps and their runs. Each user has a few from the start, with the user's name; changes are kept. */
import type { NewStep } from "@zapier-workflow-auth/core/zapier/api/Zaps"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as FakeHttp from "../../FakeHttp.ts"
import type * as FakeState from "../../FakeState.ts"
import * as Actions from "./actions.ts"
import * as Authentications from "./authentications.ts"
import { type UserCaller, asUser, malformed, nameOf, noContent, notFound, ok } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Paging from "./paging.ts"

const step = (user: FakeState.User, slug: string, type: Catalog.Action["type"]): ReadonlyArray<FakeState.ZapStep> =>
  Catalog.actions
    .filter((action) => action.app.slug === slug && action.type === type)
    .map(({ app, id }) => ({
      action: id,
      authentication: Authentications.given(user, app).id,
      inputs: { workspace: "workspace-1" },
      alias: null
    }))

const fromTheStart = [
  { title: "Create Trello cards from new Typeform entries", from: "typeform", to: "trello", isEnabled: true },
  { title: "Post new Stripe payments to Slack", from: "stripe", to: "slack", isEnabled: true },
  { title: "Add GitHub issues to a Google Sheet", from: "github", to: "google-sheets", isEnabled: false }
]

const firstUpdate = Date.UTC(2026, 2, 22, 9, 38, 11)

const begun = (user: FakeState.User): ReadonlyArray<FakeState.Zap> =>
  fromTheStart.map(({ from, isEnabled, title, to }, index) => ({
    number: user.id * 100 + index,
    title: `${title} (${nameOf(user)})`,
    isEnabled,
    updatedAt: firstUpdate,
    steps: [...step(user, from, "READ"), ...step(user, to, "WRITE")]
  }))

// Cached for each user, because most calls ask for them.
const known = new WeakMap<FakeState.User, ReadonlyArray<FakeState.Zap>>()

const ofNew = (user: FakeState.User): ReadonlyArray<FakeState.Zap> => {
  const zaps = known.get(user) ?? begun(user)
  known.set(user, zaps)
  return zaps
}

const ofUser = (state: FakeState.FakeState, user: FakeState.User): ReadonlyArray<FakeState.Zap> =>
  Option.getOrElse(HashMap.get(state.zaps, user.id), () => ofNew(user))

// The Zaps that a query selects by their inputs: each must have one of the given values, in some step.
const filtered = (call: UserCaller, query: object, pattern: RegExp): ReadonlyArray<FakeState.Zap> => {
  const wanted = Object.entries(query).flatMap(([name, value]) => {
    const key = pattern.exec(name)?.[1]
    return key === undefined ? [] : [{ key, values: String(value).split(",") }]
  })
  return ofUser(call.state, call.user).filter(({ steps }) =>
    wanted.every(({ key, values }) => steps.some(({ inputs }) => values.includes(String(inputs[key]))))
  )
}

const hour = 3_600_000

const day = 24 * hour

const daysOfHistory = 45

// New Zaps are numbered from here. They have not run yet.
const firstNewNumber = 100_000_000

const runOn = (zap: FakeState.Zap, number: number) => {
  const startedAt = number * day + (zap.number % 24) * hour
  return {
    id: Catalog.uuid("a000", Math.abs(number % 100_000) * 1_000_000 + (zap.number % 1_000_000)),
    zap,
    startedAt,
    endedAt: startedAt + 2_000,
    status: number % 7 === 0 ? "error" : number % 7 === 3 ? "filtered" : "success"
  }
}

type Run = ReturnType<typeof runOn>

// The runs of a Zap, latest first. Each Zap that exists from the start runs once a day: the hour depends on the Zap,
// the outcome on the day.
const runsOf = function* (zap: FakeState.Zap, now: number): Generator<Run> {
  if (!zap.isEnabled || zap.number >= firstNewNumber) return
  const today = Math.floor(now / day)
  for (let back = 0; back < daysOfHistory; back++) {
    const run = runOn(zap, today - back)
    if (run.endedAt <= now) yield run
  }
}

// The time of its last success, in milliseconds since the epoch.
const lastSuccessOf = (zap: FakeState.Zap, now: number): number | undefined => {
  for (const { endedAt, status } of runsOf(zap, now)) if (status === "success") return endedAt
  return undefined
}

const editor = (number: number) => `https://zapier.com/editor/${number}`

const v1Step = ({ action, inputs }: FakeState.ZapStep) => {
  const known = Catalog.action(action)
  if (known === undefined) return []
  const { app, type } = known
  return [{ type_of: type.toLowerCase(), app: { id: 4_000 + app.index, ...Catalog.stepApp(app) }, params: inputs }]
}

export const listV1 = asUser<"zaps.listV1">((call) =>
  Paging.v1(
    call,
    filtered(call, call.query, /^params__(.+)$/).map(({ isEnabled, number, steps, title, updatedAt }) => ({
      id: number,
      title,
      state: isEnabled ? "on" : "off",
      steps: steps.flatMap(v1Step),
      url: editor(number),
      modified_at: Catalog.timestamp(updatedAt)
    })),
    { otherwise: 5, most: 100 }
  )
)

const idOf = (number: number) => `00000000-0000-c000-8000-${String(number).padStart(12, "0")}`

// An id, or the object that it stands for if the query expands it.
const expanded = (call: UserCaller, expand?: ReadonlyArray<string>) => {
  const fields = new Set(expand)
  const isActionWhole = fields.has("steps.action") || fields.has("steps.action.app")
  return ({ action, authentication, inputs }: FakeState.ZapStep) => {
    const known = isActionWhole ? Catalog.action(action) : undefined
    const found =
      authentication !== null && fields.has("steps.authentication")
        ? Authentications.find(call.state, call.user, authentication)
        : undefined
    return {
      action: known === undefined ? action : Actions.shown(known),
      authentication: found === undefined ? authentication : Authentications.shown(found),
      inputs,
      title: null
    }
  }
}

const shown = (call: UserCaller, zap: FakeState.Zap, expand?: ReadonlyArray<string>) => {
  const lastSuccess = lastSuccessOf(zap, call.now)
  return {
    type: "zap",
    id: idOf(zap.number),
    is_enabled: zap.isEnabled,
    last_successful_run_date: lastSuccess === undefined ? null : Catalog.timestamp(lastSuccess),
    updated_at: Catalog.timestamp(zap.updatedAt),
    title: zap.title,
    links: { html_editor: editor(zap.number) },
    steps: zap.steps.map(expanded(call, expand))
  }
}

export const listV2 = asUser<"zaps.list">((call) =>
  Paging.v2(
    call,
    filtered(call, call.query, /^inputs\[(.+)\]$/).map((zap) => shown(call, zap, call.query.expand))
  )
)

// A Zap consists of a read, followed by one or more other steps.
const checkSteps = (
  { state, user }: UserCaller,
  steps: ReadonlyArray<typeof NewStep.Type>
): Result.Result<ReadonlyArray<FakeState.ZapStep>, FakeHttp.FakeResponse> =>
  Result.gen(function* () {
    if (steps.length < 2) {
      const detail = "A Zap needs at least two steps, the first of which is a read."
      return yield* Result.fail(malformed(detail, { pointer: "/data/steps" }))
    }
    const checked: Array<FakeState.ZapStep> = []
    for (const [index, { action, alias, authentication, inputs }] of steps.entries()) {
      const pointer = `/data/steps/${index}`
      const known = Catalog.action(action)
      if (known === undefined || (known.type === "READ") !== (index === 0)) {
        const detail = index === 0 ? "The first step has to be a read." : "Only the first step may be a read."
        return yield* Result.fail(malformed(detail, { pointer: `${pointer}/action` }))
      }
      yield* Actions.checkAuthentication(state, user, known, authentication, `${pointer}/authentication`)
      checked.push({ action, authentication, inputs, alias: alias ?? null })
    }
    return checked
  })

const saved = (state: FakeState.FakeState, user: FakeState.User, zaps: ReadonlyArray<FakeState.Zap>) => ({
  ...state,
  zaps: HashMap.set(state.zaps, user.id, zaps)
})

export const create = asUser<"zaps.create">(function* (call) {
  const { data } = call.payload
  const steps = yield* checkSteps(call, data.steps)
  const { now, state, user } = call
  const drawn: FakeState.FakeState = { ...state, counter: state.counter + 1 }
  const number = firstNewNumber + drawn.counter
  const zap: FakeState.Zap = { number, title: data.title, isEnabled: true, updatedAt: now, steps }
  return {
    state: saved(drawn, user, [...ofUser(state, user), zap]),
    status: 201,
    body: shown(call, zap, call.query.expand)
  }
})

interface Named extends UserCaller {
  readonly params: { readonly id: string }
}

const inPath = ({ params, state, user }: Named) =>
  Result.fromNullishOr(
    ofUser(state, user).find(({ number }) => idOf(number) === params.id),
    () => notFound("Zap")
  )

const change = (call: UserCaller, zap: FakeState.Zap, changes: Partial<FakeState.Zap>) => {
  const { now, state, user } = call
  const changed: FakeState.Zap = { ...zap, ...changes, updatedAt: now }
  const zaps = ofUser(state, user).map((other) => (other.number === zap.number ? changed : other))
  return { state: saved(state, user, zaps), ...ok(shown(call, changed)) }
}

/** New steps replace all others, and turn the Zap on; a new title alone does not. */
export const edit = asUser<"zaps.update">(function* (call) {
  const zap = yield* inPath(call)
  const { data } = call.payload
  const title = data.title ?? zap.title
  if (data.steps === undefined) return change(call, zap, { title })
  return change(call, zap, { title, steps: yield* checkSteps(call, data.steps), isEnabled: true })
})

export const enable = asUser<"zaps.enable">(function* (call) {
  return change(call, yield* inPath(call), { isEnabled: true })
})

export const remove = asUser<"zaps.remove">(function* (call) {
  const { number } = yield* inPath(call)
  const kept = ofUser(call.state, call.user).filter((zap) => zap.number !== number)
  return noContent(saved(call.state, call.user, kept))
})

const statuses = [
  "delayed",
  "scheduled",
  "pending",
  "error",
  "error_handled",
  "halted",
  "throttled",
  "held",
  "filtered",
  "skipped",
  "success"
]

const thirtyDays = 30 * day

const longestSearch = 150

const time = (
  text: string | undefined,
  parameter: string,
  otherwise: number
): Result.Result<number, FakeHttp.FakeResponse> => {
  const parsed = text === undefined ? otherwise : Date.parse(text)
  return Number.isNaN(parsed)
    ? Result.fail(malformed(`${parameter} has to be a date and time.`, { parameter }))
    : Result.succeed(parsed)
}

const wantedStatuses = (
  wanted: ReadonlyArray<string> = statuses
): Result.Result<ReadonlyArray<string>, FakeHttp.FakeResponse> =>
  wanted.every((status) => statuses.includes(status))
    ? Result.succeed(wanted)
    : Result.fail(malformed(`statuses are ${statuses.join(", ")}.`, { parameter: "statuses" }))

const shownRun = ({ endedAt, id, startedAt, status, zap }: Run) => ({
  id,
  zap_id: zap.number,
  start_time: Catalog.timestamp(startedAt),
  end_time: Catalog.timestamp(endedAt),
  status,
  zap_title: zap.title,
  steps: zap.steps.map((_, index) => ({
    status: index === 0 ? "success" : status,
    start_time: Catalog.timestamp(startedAt + index * 1_000)
  })),
  data_in: "",
  data_out: ""
})

export const listRuns = asUser<"zapRuns.list">(function* (call) {
  const from = yield* time(call.query.from_date, "from_date", call.now - thirtyDays)
  const to = yield* time(call.query.to_date, "to_date", Number.POSITIVE_INFINITY)
  const wanted = yield* wantedStatuses(call.query.statuses)
  const number = yield* Paging.within(call.query.zap_id, "zap_id", { otherwise: 0, least: 1 })
  const search = call.query.search ?? ""
  if (search.length > longestSearch) {
    const detail = `search has at most ${longestSearch} characters.`
    return yield* Result.fail(malformed(detail, { parameter: "search" }))
  }
  const found = ofUser(call.state, call.user)
    .filter((zap) => number === 0 || zap.number === number)
    .filter(({ title }) => title.toLowerCase().includes(search.toLowerCase()))
    .flatMap((zap) => [...runsOf(zap, call.now)])
    .filter(({ startedAt, status }) => startedAt >= from && startedAt < to && wanted.includes(status))
    .sort((a, b) => b.startedAt - a.startedAt)
  return yield* Paging.v2(call, found.map(shownRun))
})
