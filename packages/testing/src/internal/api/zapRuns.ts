/** The runs of a user's Zaps, filtered as asked. */
import * as Result from "effect/Result"
import type { FakeResponse } from "../../FakeHttp.ts"
import type { Call } from "./call.ts"
import { asUser } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Paging from "./paging.ts"
import * as Problem from "./problem.ts"
import * as ZapHistory from "./zapHistory.ts"
import * as Zaps from "./zaps.ts"

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

const thirtyDays = 30 * 24 * 3_600_000

const longestSearch = 150

const time = ({ query }: Call, parameter: string, otherwise: number): Result.Result<number, FakeResponse> => {
  const text = query.get(parameter)
  const parsed = text === undefined ? otherwise : Date.parse(text)
  return Number.isNaN(parsed)
    ? Result.fail(Problem.malformed(`${parameter} has to be a date and time.`, { parameter }))
    : Result.succeed(parsed)
}

const wantedStatuses = ({ query }: Call): Result.Result<ReadonlyArray<string>, FakeResponse> => {
  const wanted = query.get("statuses")?.split(",") ?? statuses
  return wanted.every((status) => statuses.includes(status))
    ? Result.succeed(wanted)
    : Result.fail(Problem.malformed(`statuses are ${statuses.join(", ")}.`, { parameter: "statuses" }))
}

const shown = ({ endedAt, id, startedAt, status, zap }: ZapHistory.Run) => ({
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

export const list = asUser(function* (call) {
  const from = yield* time(call, "from_date", call.now - thirtyDays)
  const to = yield* time(call, "to_date", Number.POSITIVE_INFINITY)
  const wanted = yield* wantedStatuses(call)
  const number = yield* Paging.whole(call, "zap_id", { otherwise: 0, least: 1 })
  const search = call.query.get("search") ?? ""
  if (search.length > longestSearch) {
    const detail = `search has at most ${longestSearch} characters.`
    return yield* Result.fail(Problem.malformed(detail, { parameter: "search" }))
  }
  const found = Zaps.ofUser(call.state, call.user)
    .filter((zap) => number === 0 || zap.number === number)
    .filter(({ title }) => title.toLowerCase().includes(search.toLowerCase()))
    .flatMap((zap) => ZapHistory.runs(zap, call.now))
    .filter(({ startedAt, status }) => startedAt >= from && startedAt < to && wanted.includes(status))
    .sort((a, b) => b.startedAt - a.startedAt)
  return yield* Paging.v2(call, found.map(shown))
})
