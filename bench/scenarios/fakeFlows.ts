/**
 * Complete flows with a fake, one after another: authorization without a consent page, the exchange of the code, a call
 * of the API, a refresh. Over loopback HTTP compared with two other servers, round by round; then many more, to see
 * whether the fake gets slower; without sockets compared with a handwritten stub; and the machine alone.
 */
import * as FakeControl from "@zapier-workflow-auth/testing/fake/FakeControl"
import * as FakeHttp from "@zapier-workflow-auth/testing/fake/FakeHttp"
import * as FakeServer from "@zapier-workflow-auth/testing/fake/FakeServer"
import type * as FakeState from "@zapier-workflow-auth/testing/fake/FakeState"
import * as Effect from "effect/Effect"
import * as Flow from "../flow.ts"
import * as FlowClients from "../flowClients.ts"
import * as FlowServers from "../flowServers.ts"
import { medianOf, memory } from "../measure.ts"
import { type Report, round, say } from "../report.ts"
import * as Workers from "../workers.ts"
import type * as Worker from "./fakeFlowsWorker.ts"

export const name = "fake-flows"

/** How many flows the fake runs over HTTP, to see whether it gets slower. */
export const calls = 100_000

// The rate depends on the machine; these bounds hold on any.
const bounds = {
  /** Relative to the faster of the others, over HTTP. */
  ratio: 2.5,
  /** The last tenth of the flows relative to the first. */
  flatness: 0.8,
  /** Relative to a handwritten stub, through the same `HttpClient`. */
  inProcess: 0.5,
  /** The machine alone relative to the whole over HTTP, so that it is not the bottleneck. */
  machine: 7
}

const mostRounds = 11

const warmUpRounds = 5

const file = new URL("fakeFlowsWorker.ts", import.meta.url).pathname

// Each in its own process, so that none is affected by another.
const start = Effect.fnUntraced(function* (names: ReadonlyArray<Worker.Name>) {
  const begins = names.map((server) => ({ _tag: "Begin", server }) as const)
  const started = yield* Workers.startResponders<Worker.Command, Worker.Reply>(file, begins)
  return yield* Effect.forEach(started, ({ next, worker }, index) =>
    Effect.as(Effect.promise(next), {
      name: names[index] ?? "",
      rateOf: (flows: number) =>
        Effect.promise(async () => {
          worker.send({ _tag: "Flow", flows })
          const reply = await next()
          return reply._tag === "Flowed" ? reply.rate : Number.NaN
        })
    })
  )
})

// Alternating in each round, so that other load affects all alike. Each first runs enough flows for its code to be
// compiled.
const compare = Effect.fnUntraced(function* (names: ReadonlyArray<Worker.Name>, flows: number, rounds: number) {
  const workers = yield* start(names)
  yield* Effect.forEach(workers, ({ rateOf }) => rateOf(flows * warmUpRounds))
  const rates = yield* Effect.forEach(Array.from({ length: rounds }), () =>
    Effect.forEach(workers, ({ rateOf }) => rateOf(flows))
  )
  const medians = workers.map(({ name }, index) => [name, round(medianOf(rates.map((round) => round[index] ?? 0)))])
  say(`${name}: ${medians.map((pair) => pair.join(" ")).join(", ")} flows a second`)
  return Object.fromEntries(medians) as { readonly [name: string]: number }
}, Effect.scoped)

// The rate of each tenth of the flows.
const tenths = Effect.fnUntraced(function* (calls: number) {
  const workers = yield* start([FlowServers.fakeName])
  const flows = Math.ceil(calls / 10)
  yield* Effect.forEach(workers, ({ rateOf }) => rateOf(Math.min(flows, 5_000)))
  const rates: Array<number> = []
  for (let tenth = 1; tenth <= 10; tenth++) {
    for (const { rateOf } of workers) rates.push(round(yield* rateOf(flows)))
    say(`${name}: ${tenth * 10} % of ${calls} flows, ${rates.at(-1)} a second`)
  }
  return rates
}, Effect.scoped)

// The same requests to the pure machine, without the client of the flows, which takes half as long again.
const machine = (flows: number) =>
  Effect.gen(function* () {
    let state = yield* Effect.fromResult(FakeControl.make(FlowServers.fakeOptions))
    let inMachine = 0
    const send = ({ body, headers, method, path }: Flow.Request): Flow.Answer => {
      const request = FakeHttp.request(method, path, { headers, ...(body === undefined ? {} : { body }) })
      const began = performance.now()
      const handled = FakeServer.handle(state, request, 0)
      inMachine += performance.now() - began
      state = handled.state
      const { response } = handled
      return { status: response.status, location: response.headers["location"], body: response.body }
    }
    const flow = () => Flow.runSync(FlowServers.zapierFlow(), send)
    const many = (count: number) => {
      inMachine = 0
      for (let index = 0; index < count; index++) flow()
      return (count * 1_000) / inMachine
    }
    many(Math.min(flows, 20_000))
    const before = yield* memory
    const rate = many(flows)
    const { heap } = yield* memory
    // The measured state is still there.
    return { rate: round(rate), bytesPerGrant: round((heap - before.heap) / flows), grants: countOf(state) }
  })

const countOf = ({ grants }: FakeState.FakeState) => [...grants].length

export const run = Effect.fnUntraced(function* (calls: number) {
  const perRound = Math.min(1_000, Math.ceil(calls / 10))
  const rounds = Math.min(mostRounds, Math.ceil(calls / 1_000))
  const overHttp = yield* compare(
    [FlowServers.fakeName, FlowServers.mockServerName, FlowServers.oidcProviderName],
    perRound,
    rounds
  )
  const rates = yield* tenths(calls)
  const inProcess = yield* compare([FlowClients.inProcessName, FlowClients.stubName], perRound * 5, rounds)
  const alone = yield* machine(calls)
  say(`${name}: the machine alone: ${alone.rate} flows a second, ${alone.bytesPerGrant} bytes a grant`)
  const { [FlowServers.fakeName]: ours = Number.NaN, ...others } = overHttp
  const ratios = {
    ratio: round(ours / Math.max(...Object.values(others)), 2),
    flatness: round((rates.at(-1) ?? Number.NaN) / (rates[0] ?? Number.NaN), 2),
    inProcess: round(
      (inProcess[FlowClients.inProcessName] ?? Number.NaN) / (inProcess[FlowClients.stubName] ?? Number.NaN),
      2
    ),
    machine: round(alone.rate / ours, 2)
  }
  return {
    scenario: name,
    passed:
      ratios.ratio >= bounds.ratio &&
      ratios.flatness >= bounds.flatness &&
      ratios.inProcess >= bounds.inProcess &&
      ratios.machine >= bounds.machine,
    flows: calls,
    bounds,
    ...ratios,
    flowsPerSecond: overHttp,
    flowsPerSecondByTenth: rates,
    flowsPerSecondInProcess: inProcess,
    flowsPerSecondOfMachine: alone.rate,
    bytesPerGrant: alone.bytesPerGrant
  } satisfies Report
}, Effect.orDie)
