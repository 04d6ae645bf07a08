/**
 * Complete flows with a fake, one after the other: the consent page, allowing, the exchange of the code, a call of the
 * API, a refresh. Over loopback HTTP beside two servers that others have written, round by round in one process with one
 * client; then many more, to see whether the fake gets slower; then without sockets, and the machine alone.
 */
import * as FakeControl from "@zapier-workflow-auth/testing/FakeControl"
import * as FakeHttp from "@zapier-workflow-auth/testing/FakeHttp"
import * as FakeServer from "@zapier-workflow-auth/testing/FakeServer"
import type * as FakeState from "@zapier-workflow-auth/testing/FakeState"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Flow from "../flow.ts"
import * as FlowServers from "../flowServers.ts"
import { memory } from "../measure.ts"
import { type Report, round, say } from "../report.ts"

export const name = "fake-flows"

/** How many flows the fake goes through over HTTP, to see whether it gets slower. */
export const calls = 100_000

const bounds = {
  /** Times the faster of the others. */
  ratio: 2.5,
  /** The last tenth of the flows against the first. */
  flatness: 0.8,
  /** Flows a second through the `HttpClient` layer. */
  inProcess: 5_000,
  /** Flows a second of the machine alone. */
  machine: 50_000
}

const rounds = 5

const median = (numbers: ReadonlyArray<number>) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN

// Flows a second.
const rateOf = async (flows: number, flow: () => Promise<unknown>) => {
  const began = performance.now()
  for (let index = 0; index < flows; index++) await flow()
  return (flows * 1_000) / (performance.now() - began)
}

// One after the other in each round, so that what else the machine does meets all of them. Before that each goes through
// so many that its code is compiled as far as it will be.
const compare = async (servers: ReadonlyArray<FlowServers.FlowServer>, flows: number) => {
  const rates = new Map(servers.map(({ name }) => [name, [] as Array<number>]))
  for (const { flow } of servers) await rateOf(flows * rounds, flow)
  for (let index = 0; index < rounds; index++) {
    for (const { flow, name } of servers) rates.get(name)?.push(await rateOf(flows, flow))
  }
  return Object.fromEntries(servers.map(({ name }) => [name, round(median(rates.get(name) ?? []))]))
}

// Rates of each tenth of the flows.
const tenths = async (calls: number, { flow }: FlowServers.FlowServer) => {
  const rates: Array<number> = []
  for (let tenth = 1; tenth <= 10; tenth++) {
    rates.push(round(await rateOf(Math.ceil(calls / 10), flow)))
    say(`${name}: ${tenth * 10} % of ${calls} flows, ${rates.at(-1)} a second`)
  }
  return rates
}

const overHttp = (calls: number) =>
  Effect.gen(function* () {
    const fake = yield* FlowServers.fake
    const mock = yield* FlowServers.mockServer
    const provider = yield* FlowServers.oidcProvider
    const perRound = Math.min(400, Math.ceil(calls / 10))
    const compared = yield* Effect.promise(() => compare([fake, mock, provider], perRound))
    say(`${name}: ${JSON.stringify(compared)} flows a second`)
    const rates = yield* Effect.promise(() => tenths(calls, fake))
    return { compared, rates }
  }).pipe(Effect.scoped)

// The same requests through the `HttpClient` layer.
const inProcess = (flows: number) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const send = Effect.fnUntraced(function* ({ body, headers, method, path }: Flow.Request) {
      const to = HttpClientRequest.make(method)(`https://zapier.com${path}`, { headers })
      const response = yield* client.execute(
        body === undefined ? to : HttpClientRequest.bodyText(to, body, headers["content-type"])
      )
      return {
        status: response.status,
        location: response.headers["location"],
        body: yield* response.text
      } satisfies Flow.Answer
    })
    const flow = Effect.gen(function* () {
      const requests = FlowServers.zapierFlow()
      let next = requests.next()
      while (next.done !== true) next = requests.next(yield* send(next.value))
    })
    const many = Effect.fnUntraced(function* (count: number) {
      const began = performance.now()
      for (let index = 0; index < count; index++) yield* flow
      return (count * 1_000) / (performance.now() - began)
    })
    yield* many(Math.min(flows, 2_000))
    return round(yield* many(flows))
  }).pipe(Effect.provide(Layer.provideMerge(FakeZapier.layerHttpClient, FakeZapier.layer(FlowServers.fakeOptions))))

// The same requests to the pure machine. What the client of the flows does is not counted: it takes half as long again.
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
    many(Math.min(flows, 5_000))
    const before = yield* memory
    const rate = many(flows)
    const { heap } = yield* memory
    // What it was measured for is still there.
    return { rate: round(rate), bytesPerGrant: round((heap - before.heap) / flows), grants: countOf(state) }
  })

const countOf = ({ grants }: FakeState.FakeState) => [...grants].length

export const run = Effect.fnUntraced(function* (calls: number) {
  const alone = yield* machine(calls)
  say(`${name}: the machine alone: ${alone.rate} flows a second, ${alone.bytesPerGrant} bytes a grant`)
  const withoutSockets = yield* inProcess(Math.min(calls, 20_000))
  say(`${name}: in process: ${withoutSockets} flows a second`)
  const { compared, rates } = yield* overHttp(calls)
  const { [FlowServers.fakeName]: ours = Number.NaN, ...others } = compared
  const ratio = round(ours / Math.max(...Object.values(others)), 2)
  const flatness = round((rates.at(-1) ?? Number.NaN) / (rates[0] ?? Number.NaN), 2)
  return {
    scenario: name,
    passed:
      ratio >= bounds.ratio &&
      flatness >= bounds.flatness &&
      withoutSockets >= bounds.inProcess &&
      alone.rate >= bounds.machine,
    flows: calls,
    bounds,
    ratio,
    flowsPerSecond: compared,
    flatness,
    flowsPerSecondByTenth: rates,
    inProcessFlowsPerSecond: withoutSockets,
    machineFlowsPerSecond: alone.rate,
    bytesPerGrant: alone.bytesPerGrant
  } satisfies Report
}, Effect.orDie)
