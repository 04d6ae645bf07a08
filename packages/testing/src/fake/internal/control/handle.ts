/** The control page and the control API as a function of requests: checks access, then responds. */
import * as Effect from "effect/Effect"
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
  /** True if the server is reachable only from its own machine. */
  readonly isServerLocal: boolean
  /** Links for the page's navigation. */
  readonly links: ReadonlyArray<{ readonly name: string; readonly url: string }>
  /** Runs after each action, with one sentence about it. */
  readonly onAction: (words: string) => Effect.Effect<unknown>
}

export const { base } = Forms

const api = `${base}api/`

const actionPrefix = Forms.actionPath("")

/** True for a path of the control page or API. */
export const isControl = (path: string): boolean => path === base.slice(0, -1) || path.startsWith(base)

const noStore = { "cache-control": "no-store", "x-content-type-options": "nosniff" }

const seeOther = (location: string, headers: FakeHttp.FakeResponse["headers"] = {}): FakeHttp.FakeResponse => ({
  status: 303,
  headers: { location, "referrer-policy": "same-origin", ...noStore, ...headers },
  body: ""
})

// -----------------------------------------------------------------------------
// The API
// -----------------------------------------------------------------------------

const json = (status: number, body: unknown, headers: FakeHttp.FakeResponse["headers"] = {}) =>
  FakeHttp.json(status, body, { ...noStore, ...headers })

const done = (result: unknown): FakeHttp.FakeResponse =>
  result === undefined ? { status: 204, headers: noStore, body: "" } : json(200, result)

const wrongMethod = (allow: string) => json(405, { error: `This takes ${allow}.` }, { allow })

const act = (
  name: string,
  action: Actions.Action,
  request: FakeHttp.FakeRequest,
  context: Context
): Effect.Effect<FakeHttp.FakeResponse> => {
  const input = request.body.length === 0 ? {} : Parse.json(request)
  if (input === undefined) return Effect.succeed(json(400, { error: "Send JSON, as application/json." }))
  return Effect.match(perform(name, action, input, context), {
    onSuccess: done,
    onFailure: ({ problem }) => json(400, { error: problem })
  })
}

const respondToApi = Effect.fnUntraced(function* (request: FakeHttp.FakeRequest, context: Context) {
  if (!Guard.isBearer(request, context.secrets)) {
    const error = "Send the token that was printed at the start: Authorization: Bearer <token>."
    return json(401, { error }, { "www-authenticate": "Bearer" })
  }
  const name = request.path.slice(api.length)
  const reading = readings.get(name)
  const action = Actions.actions.get(name)
  if (reading !== undefined) {
    return request.method === "GET" ? done(yield* reading(context.zapier, Parse.query(request))) : wrongMethod("GET")
  }
  if (action !== undefined) {
    return request.method === "POST" ? yield* act(name, action, request, context) : wrongMethod("POST")
  }
  const there = { GET: [...readings.keys()], POST: [...Actions.actions.keys()] }
  return name === "" ? json(200, there) : json(404, { error: "Unknown path.", ...there })
})

// -----------------------------------------------------------------------------
// The page
// -----------------------------------------------------------------------------

/** The effect of an action, and its part of the page. */
const said: { readonly [action: string]: { readonly words: string; readonly part: string } } = {
  "register-app": { words: "The app is registered.", part: "apps" },
  "register-user": { words: "The user is added.", part: "users" },
  "set-white-label": { words: "The partner is registered.", part: "apps" },
  "expire-authentication": { words: "The connection has expired.", part: "grants" },
  "regenerate-secret": { words: "The app has a new secret. The old one no longer works.", part: "apps" },
  revoke: { words: "The connection is revoked.", part: "grants" },
  "end-access-token": { words: "The access token no longer works.", part: "grants" },
  advance: { words: "The clock has moved ahead.", part: "clock" },
  "set-time": { words: "The clock was set.", part: "clock" },
  "add-fault": { words: "The fault is set.", part: "faults" },
  "set-faults": { words: "The faults were changed.", part: "faults" },
  "change-settings": { words: "The settings were changed.", part: "clock" },
  approve: { words: "A user has connected an app.", part: "grants" },
  deny: { words: "A user has denied an app.", part: "grants" },
  snapshot: { words: "The snapshot is taken.", part: "snapshot" },
  restore: { words: "The snapshot is restored.", part: "snapshot" },
  reset: { words: "Everything is as it was at the start.", part: "snapshot" }
}

/** Does an action and reports it. */
const perform = (name: string, action: Actions.Action, input: unknown, context: Context) =>
  Effect.tap(action(input, context), () => context.onAction(said[name]?.words ?? name))

const page = Effect.fnUntraced(function* (status: number, context: Context, notice: Page.Model["notice"]) {
  const { secrets, snapshots, zapier } = context
  return Page.control(status, {
    state: yield* zapier.state,
    time: yield* zapier.time,
    requests: yield* zapier.requests,
    snapshotAt: snapshots.get(Actions.unnamed)?.at,
    formSecret: secrets.form,
    links: context.links,
    notice
  })
})

const rows = (request: FakeHttp.FakeRequest, { zapier }: Context): Effect.Effect<FakeHttp.FakeResponse> =>
  Effect.map(zapier.requests, (entries) => {
    const { body, tag } = Log.rows(entries)
    const headers = { ...noStore, etag: tag }
    return request.headers["if-none-match"] === tag
      ? { status: 304, headers, body: "" }
      : { status: 200, headers: { ...headers, "content-type": "text/html; charset=utf-8" }, body }
  })

const refused = (problem: string) => Page.refusal(403, "Access denied", problem)

const notFound = Page.refusal(404, "Not found", `The control page is at ${base}.`)

const submit = Effect.fnUntraced(function* (name: string, request: FakeHttp.FakeRequest, context: Context) {
  const action = Actions.actions.get(name)
  const form = Parse.form(request)
  if (form === undefined || !Guard.isSame(form.get("form"), context.secrets.form)) {
    return refused("This form is from an earlier run of the fake. Go back and reload the page.")
  }
  if (action === undefined) return notFound
  const part = said[name]?.part ?? ""
  return yield* Effect.matchEffect(perform(name, action, Actions.fromForm(name, form), context), {
    onSuccess: () => Effect.succeed(seeOther(`${base}?done=${name}#${part}`)),
    onFailure: ({ problem }) => page(400, context, { isProblem: true, text: problem })
  })
})

const respondWithPage = Effect.fnUntraced(function* (request: FakeHttp.FakeRequest, context: Context) {
  const { secrets } = context
  const { method, path } = request
  const query = Parse.query(request)
  if (method === "GET" && path === base && Guard.isSame(query.get("token"), secrets.token)) {
    return seeOther(base, { "set-cookie": Guard.cookie(request, secrets, base) })
  }
  if (!Guard.isSignedIn(request, secrets)) {
    return refused("Open the whole address that was printed at the start, with its token.")
  }
  if (path.startsWith(actionPrefix)) {
    return method === "POST" ? yield* submit(path.slice(actionPrefix.length), request, context) : seeOther(base)
  }
  if (method !== "GET") return { ...notFound, status: 405, headers: { ...notFound.headers, allow: "GET" } }
  if (path === Log.path) return yield* rows(request, context)
  if (path !== base) return notFound
  const done = query.get("done") ?? ""
  const text = Object.hasOwn(said, done) ? said[done]?.words : undefined
  return yield* page(200, context, text === undefined ? undefined : { isProblem: false, text })
})

export const handle = (request: FakeHttp.FakeRequest, context: Context): Effect.Effect<FakeHttp.FakeResponse> => {
  const isApi = request.path.startsWith(api)
  const problem = Guard.foreign(request, context.isServerLocal)
  if (problem !== undefined) return Effect.succeed(isApi ? json(403, { error: problem }) : refused(problem))
  if (!request.path.startsWith(base)) return Effect.succeed(seeOther(base))
  return isApi ? respondToApi(request, context) : respondWithPage(request, context)
}
