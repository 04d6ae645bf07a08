/**
 * Arbitrary requests, honest and hostile, with an oracle that says what may come of each. A generator, so that the pure
 * machine and a server over HTTP can be driven by the same code.
 */
import type { FakeRequest, FakeResponse } from "../../../src/fake/FakeHttp.ts"
import * as Api from "./api.ts"
import * as Authorize from "./authorize.ts"
import * as Choose from "./choose.ts"
import * as Mangle from "./mangle.ts"
import { type App, Oracle } from "./oracle.ts"
import * as Token from "./token.ts"

/**
 * What is to be done to the fake. `Send` is answered with its response, or with nothing if it cannot be sent, and
 * `Regenerate` with the new secret.
 */
export type Command =
  | { readonly _tag: "Send"; readonly request: FakeRequest }
  | { readonly _tag: "Wait"; readonly millis: number }
  | { readonly _tag: "Regenerate"; readonly clientId: string }
  | { readonly _tag: "Revoke"; readonly clientId: string; readonly user: string }

/** How often something came about that a run without it would not have tried. */
export interface Report {
  requests: number
  mangled: number
  codes: number
  pairs: number
  appTokens: number
  reuses: number
  letIn: number
  refused: number
}

export interface Options {
  readonly seed: string
  readonly requests: number
}

/** The apps that the fake has to know. */
export const apps = [1, 2].map((number) => ({
  name: `App ${number}`,
  clientId: `client-${number}-of-the-fuzz`,
  // Colons, spaces and percent signs show how credentials are encoded.
  clientSecret: `s3:cret %4${number}+&`,
  redirectUris: [`https://app${number}.example/callback`, `https://app${number}.example/other?x=1&y=%20`]
}))

export const users = Authorize.users.map((email) => ({ email, firstName: "First", lastName: "Last" }))

const check = (holds: boolean, problem: string) => {
  if (!holds) throw new Error(problem)
}

const locationOf = ({ headers }: FakeResponse) => headers["location"]

// What holds for every answer.
const sound = (request: FakeRequest, response: FakeResponse) => {
  const { body, headers, status } = response
  check(Number.isInteger(status) && status >= 200 && status < 500, `the status ${status}`)
  for (const [name, value] of Object.entries(headers)) {
    check(typeof value === "string" && !/[\r\n\0]/.test(name + value), `the header ${name}`)
  }
  if (headers["content-type"] === "application/json" && body !== "") JSON.parse(body)
  if (request.path === "/oauth/token/" && status !== 429) {
    check(headers["cache-control"] === "no-store", "a token answer that may be stored")
  }
  const location = locationOf(response)
  if (location !== undefined) {
    const uris = apps.flatMap(({ redirectUris }) => redirectUris)
    const isKnown = status === 301 ? /^\/oauth\/\w+\//.test(location) : uris.some((uri) => location.startsWith(uri))
    check(isKnown, `a redirect to ${location}`)
  }
}

const judgeToken = (oracle: Oracle, report: Report, asked: Token.Asked, response: FakeResponse) => {
  const verdict = Token.judge(oracle, asked)
  const answer = response.body === "" ? {} : JSON.parse(response.body)
  if (verdict._tag === "Refused") {
    const isSaid = asked.method === "HEAD" || answer.error === verdict.error
    check(response.status === verdict.status && isSaid, `not ${verdict.status} ${verdict.error}`)
    if (verdict.revokes !== undefined) {
      verdict.revokes.isRevoked = true
      report.reuses++
    }
    return
  }
  const { access_token, refresh_token, scope } = answer
  check(response.status === 200, `not 200, but ${response.status}`)
  const scopes: ReadonlyArray<string> = scope.split(" ")
  const isOf = (wanted: ReadonlyArray<string>) => check([...new Set(wanted)].join(" ") === scope, `the scope ${scope}`)
  switch (verdict._tag) {
    case "Code":
      isOf(verdict.code.scopes)
      oracle.giveForCode(verdict.code, access_token, refresh_token)
      break
    case "Refresh":
      isOf(verdict.scopes)
      oracle.give(verdict.grant, scopes, access_token, refresh_token)
      break
    case "App":
      if (verdict.scopes !== undefined) isOf(verdict.scopes)
      check(refresh_token === undefined, "a refresh token for an app")
      oracle.giveToApp(verdict.app, scopes, access_token)
      report.appTokens++
      return
  }
  report.pairs++
}

const judgeAuthorize = (oracle: Oracle, report: Report, asked: Authorize.Asked, response: FakeResponse) => {
  const verdict = Authorize.judge(oracle, asked)
  const location = locationOf(response)
  if (verdict._tag === "Page") {
    check(response.status === verdict.status && location === undefined, `not a page with ${verdict.status}`)
    return
  }
  check(response.status === 302 && location !== undefined, "no redirect")
  const { searchParams } = new URL(location ?? "")
  check((searchParams.get("state") ?? undefined) === verdict.state, "another state")
  if (verdict._tag === "Error") return check(searchParams.get("error") === verdict.error, `not ${verdict.error}`)
  oracle.giveCode({ ...verdict.code, text: searchParams.get("code") ?? "" })
  report.codes++
}

const judgeApi = (oracle: Oracle, report: Report, asked: Api.Asked, { status }: FakeResponse) => {
  const refusal = Api.judge(oracle, asked)
  if (refusal === undefined) report.letIn++
  else report.refused++
  check(
    refusal === undefined ? status !== 401 && status !== 403 : status === refusal,
    `${status}, not ${refusal ?? "let in"}`
  )
}

const judgeMangled = (oracle: Oracle, report: Report, request: FakeRequest, response: FakeResponse) => {
  report.mangled++
  const location = locationOf(response)
  check(location === undefined || !/[?&]code=/.test(location) || request.method === "POST", "a code for nothing")
  if (response.status !== 200 || request.path !== "/oauth/token/") return
  Mangle.accept(oracle, request, JSON.parse(response.body))
}

const print = ({ body, headers, method, path, query }: FakeRequest) =>
  JSON.stringify({ method, path, query, headers, body: Buffer.from(body.subarray(0, 2_000)).toString("latin1") })

// Something else than a request, now and then.
function* meddle(oracle: Oracle, choose: Choose.Chooser): Generator<Command, void, FakeResponse | string | undefined> {
  const app: App = choose.of(oracle.apps)
  switch (choose.below(12)) {
    case 0: {
      const secret = yield { _tag: "Regenerate", clientId: app.id }
      if (typeof secret === "string") oracle.regenerate(app, secret)
      break
    }
    case 1: {
      const user = choose.of(Authorize.users)
      yield { _tag: "Revoke", clientId: app.id, user }
      oracle.revoke(app, user)
      break
    }
    case 2:
    case 3: {
      const millis = choose.of([119_999, 120_000, 3_600_000, 36_000_000])
      yield { _tag: "Wait", millis }
      oracle.now += millis
      oracle.forget()
      break
    }
    default: {
      const millis = choose.below(30_000)
      yield { _tag: "Wait", millis }
      oracle.now += millis
      oracle.forget()
    }
  }
}

type Judge = (response: FakeResponse) => void

// A request that a client could send, and what is to be said of its answer.
const honest = (oracle: Oracle, choose: Choose.Chooser, report: Report): readonly [FakeRequest, Judge] => {
  const kind = choose.below(10)
  if (kind < 2) {
    const asked = Authorize.draw(choose, oracle)
    return [Authorize.toRequest(asked), (response) => judgeAuthorize(oracle, report, asked, response)]
  }
  if (kind < 7) {
    const asked = Token.draw(choose, oracle)
    return [Token.toRequest(asked), (response) => judgeToken(oracle, report, asked, response)]
  }
  const asked = Api.draw(choose, oracle)
  return [Api.toRequest(asked), (response) => judgeApi(oracle, report, asked, response)]
}

const draw = (oracle: Oracle, choose: Choose.Chooser, report: Report): readonly [FakeRequest, Judge] => {
  const [request, judge] = honest(oracle, choose, report)
  if (!choose.rarely(4)) return [request, judge]
  const mangled = Mangle.mangle(choose, request)
  // What it would do to a grant cannot be told from outside, so it is not sent.
  if (Mangle.endsSomething(oracle, mangled)) return [request, judge]
  return [mangled, (response) => judgeMangled(oracle, report, mangled, response)]
}

/** Throws with the seed and the request at the first answer that the rules forbid. */
export function* run(options: Options): Generator<Command, Report, FakeResponse | string | undefined> {
  const choose = Choose.make(options.seed)
  const oracle = new Oracle(
    apps.map(({ clientId, clientSecret, redirectUris }) => ({
      id: clientId,
      secret: clientSecret,
      oldSecrets: [],
      redirectUris
    }))
  )
  const report: Report = { requests: 0, mangled: 0, codes: 0, pairs: 0, appTokens: 0, reuses: 0, letIn: 0, refused: 0 }
  while (report.requests < options.requests) {
    if (choose.rarely(40)) yield* meddle(oracle, choose)
    const [request, judge] = draw(oracle, choose, report)
    report.requests++
    let response: FakeResponse | string | undefined
    try {
      response = yield { _tag: "Send", request }
      if (response === undefined) continue
      if (typeof response === "string") throw new Error("no answer")
      sound(request, response)
      judge(response)
    } catch (cause) {
      const problem = cause instanceof Error ? cause.message : String(cause)
      const answer = JSON.stringify(response)
      throw new Error(
        `${problem}\nseed ${options.seed}, request ${report.requests}: ${print(request)}\nanswer: ${answer}`,
        { cause }
      )
    }
  }
  return report
}
