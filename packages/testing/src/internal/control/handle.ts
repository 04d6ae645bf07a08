/** The control page and the control API, as a function of requests: who is let in, and what they get. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { FakeRequest, FakeResponse } from "../../FakeHttp.ts"
import * as FakeHttp from "../../FakeHttp.ts"
import * as Log from "../pages/controlLog.ts"
import * as Forms from "../pages/controlForms.ts"
import * as Page from "../pages/control.ts"
import * as Parse from "../parse.ts"
import * as Actions from "./actions.ts"
import * as Guard from "./guard.ts"
import { readings } from "./view.ts"

export interface Context extends Actions.Context {
  readonly secrets: Guard.Secrets
  /** Whether the server can be reached from its own machine only. */
  readonly isServerLocal: boolean
}

export const { base } = Forms

const api = `${base}api/`

const actionPrefix = Forms.actionPath("")

/** Whether a path is one of control, and not of Zapier. */
export const isControl = (path: string): boolean => path === base.slice(0, -1) || path.startsWith(base)

const noStore = { "cache-control": "no-store", "x-content-type-options": "nosniff" }

const seeOther = (location: string, headers: FakeResponse["headers"] = {}): FakeResponse => ({
  status: 303,
  headers: { location, "referrer-policy": "same-origin", ...noStore, ...headers },
  body: ""
})

// -----------------------------------------------------------------------------
// The API
// -----------------------------------------------------------------------------

const json = (status: number, body: unknown, headers: FakeResponse["headers"] = {}) =>
  FakeHttp.json(status, body, { ...noStore, ...headers })

const done = (result: unknown): FakeResponse =>
  result === undefined ? { status: 204, headers: noStore, body: "" } : json(200, result)

const wrongMethod = (allow: string) => json(405, { error: `This takes ${allow}.` }, { allow })

const inputOf = (request: FakeRequest): Result.Result<unknown, string> => {
  if (request.body.length === 0) return Result.succeed({})
  const body = Parse.json(request)
  return body === undefined ? Result.fail("Send JSON, as application/json.") : Result.succeed(body)
}

const act = (action: Actions.Action, request: FakeRequest, context: Context): Effect.Effect<FakeResponse> => {
  const input = inputOf(request)
  if (Result.isFailure(input)) return Effect.succeed(json(400, { error: input.failure }))
  return Effect.match(action.run(input.success, context), {
    onSuccess: done,
    onFailure: ({ problem }) => json(400, { error: problem })
  })
}

const answerApi = (request: FakeRequest, context: Context): Effect.Effect<FakeResponse> => {
  if (!Guard.isBearer(request, context.secrets)) {
    const error = "Send the token that was printed at the start: Authorization: Bearer <token>."
    return Effect.succeed(json(401, { error }, { "www-authenticate": "Bearer" }))
  }
  const name = request.path.slice(api.length)
  const reading = readings.get(name)
  if (reading !== undefined) {
    if (request.method !== "GET") return Effect.succeed(wrongMethod("GET"))
    return Effect.map(reading(context.zapier, Parse.query(request)), done)
  }
  const action = Actions.actions.get(name)
  if (action !== undefined) {
    return request.method === "POST" ? act(action, request, context) : Effect.succeed(wrongMethod("POST"))
  }
  const error = "There is no such path."
  const there = { GET: [...readings.keys()], POST: [...Actions.actions.keys()] }
  return Effect.succeed(name === "" ? json(200, there) : json(404, { error, ...there }))
}

// -----------------------------------------------------------------------------
// The page
// -----------------------------------------------------------------------------

const said: { readonly [action: string]: string } = {
  "register-app": "The app is registered.",
  "register-user": "The user is added.",
  "regenerate-secret": "The app has a new secret. The previous one does not work any more.",
  revoke: "The grant is revoked.",
  "end-access-token": "The access token is ended.",
  advance: "The clock has moved ahead.",
  "add-fault": "The fault is injected.",
  "set-faults": "Nothing is to go wrong any more.",
  snapshot: "The snapshot is taken.",
  restore: "The snapshot is restored.",
  reset: "Everything is as it was at the start."
}

const page = Effect.fnUntraced(function* (status: number, context: Context, notice: Page.Model["notice"]) {
  const { secrets, snapshots, zapier } = context
  return Page.control(status, {
    state: yield* zapier.state,
    time: yield* zapier.time,
    requests: yield* zapier.requests,
    snapshotAt: snapshots.get(Actions.unnamed)?.at,
    formSecret: secrets.form,
    notice
  })
})

const rows = (request: FakeRequest, { zapier }: Context): Effect.Effect<FakeResponse> =>
  Effect.map(zapier.requests, (entries) => {
    const { body, tag } = Log.rows(entries)
    const headers = { ...noStore, etag: tag }
    return request.headers["if-none-match"] === tag
      ? { status: 304, headers, body: "" }
      : { status: 200, headers: { ...headers, "content-type": "text/html; charset=utf-8" }, body }
  })

const refused = (problem: string) => Page.refusal(403, "Not for you", problem)

const submit = (name: string, request: FakeRequest, context: Context): Effect.Effect<FakeResponse> => {
  const action = Actions.actions.get(name)
  const form = Parse.form(request)
  if (form === undefined || !Guard.isSame(form.get("form"), context.secrets.form)) {
    return Effect.succeed(refused("This form is not of this page, or of an earlier run: go back and reload."))
  }
  if (action === undefined) return Effect.succeed(notFound)
  return Effect.matchEffect(action.run(Actions.fromForm(name, form), context), {
    onSuccess: () => Effect.succeed(seeOther(`${base}?done=${name}`)),
    onFailure: ({ problem }) => page(400, context, { isProblem: true, text: problem })
  })
}

const notFound = Page.refusal(404, "Not found", `The control page is at ${base}.`)

const answerPage = (request: FakeRequest, context: Context): Effect.Effect<FakeResponse> => {
  const { secrets } = context
  const isGet = request.method === "GET"
  const query = Parse.query(request)
  if (isGet && request.path === base && Guard.isSame(query.get("token"), secrets.token)) {
    return Effect.succeed(seeOther(base, { "set-cookie": Guard.cookie(request, secrets, base) }))
  }
  if (!Guard.isSignedIn(request, secrets)) {
    return Effect.succeed(refused("Open the whole address that was printed at the start, with its token."))
  }
  if (request.path.startsWith(actionPrefix)) {
    return request.method === "POST"
      ? submit(request.path.slice(actionPrefix.length), request, context)
      : Effect.succeed(seeOther(base))
  }
  if (!isGet) return Effect.succeed({ ...notFound, status: 405, headers: { ...notFound.headers, allow: "GET" } })
  switch (request.path) {
    case base: {
      const done = query.get("done") ?? ""
      const text = Object.hasOwn(said, done) ? said[done] : undefined
      return page(200, context, text === undefined ? undefined : { isProblem: false, text })
    }
    case Log.path:
      return rows(request, context)
    default:
      return Effect.succeed(notFound)
  }
}

export const handle = (request: FakeRequest, context: Context): Effect.Effect<FakeResponse> => {
  const isApi = request.path.startsWith(api)
  const problem = Guard.foreign(request, context.isServerLocal)
  if (problem !== undefined) return Effect.succeed(isApi ? json(403, { error: problem }) : refused(problem))
  if (!request.path.startsWith(base)) return Effect.succeed(seeOther(base))
  return isApi ? answerApi(request, context) : answerPage(request, context)
}
