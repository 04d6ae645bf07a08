/** What users have connected to Zapier: their accounts in other apps. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as FakeHttp from "../../FakeHttp.ts"
import * as FakeState from "../../FakeState.ts"
import { type Call, Inputs, asUser, malformed, noContent, notFound, parseData } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Paging from "./paging.ts"

/** The one that a user has for each app from the start. */
export const given = (user: FakeState.User, app: Catalog.App): FakeState.Authentication => ({
  id: `${app.slug}-${user.id}`,
  app: app.uuid,
  title: `${app.title} ${user.email}`
})

const ofUser = (state: FakeState.FakeState, user: FakeState.User): ReadonlyArray<FakeState.Authentication> =>
  Option.getOrElse(HashMap.get(state.authentications, user.id), () => Catalog.apps.map((app) => given(user, app)))

const saved = (
  state: FakeState.FakeState,
  user: FakeState.User,
  authentications: ReadonlyArray<FakeState.Authentication>
): FakeState.FakeState => ({
  ...state,
  authentications: HashMap.set(state.authentications, user.id, authentications)
})

export const find = (
  state: FakeState.FakeState,
  user: FakeState.User,
  id: string
): FakeState.Authentication | undefined => ofUser(state, user).find((authentication) => authentication.id === id)

export const shown = ({ app, id, title }: FakeState.Authentication) => ({
  type: "authentication",
  id,
  app,
  is_expired: false,
  title
})

/** The app that a required query parameter names. */
export const appInQuery = ({ query }: Call) =>
  Result.fromNullishOr(Catalog.app(query.get("app") ?? ""), () =>
    malformed("app has to be the id of an app.", { parameter: "app" })
  )

export const list = asUser(function* (call) {
  const { uuid } = yield* appInQuery(call)
  const found = ofUser(call.state, call.user).filter(({ app }) => app === uuid)
  return yield* Paging.v2(call, found.map(shown))
})

const parseCreate = parseData(
  Schema.Struct({
    title: Schema.String.check(Schema.isMaxLength(255)),
    app: Schema.String,
    authentication_fields: Inputs
  })
)

export const create = asUser(function* ({ request, state, user }) {
  const { data } = yield* parseCreate(request)
  if (Catalog.app(data.app) === undefined) {
    return yield* Result.fail(malformed("There is no such app.", { pointer: "/data/app" }))
  }
  const [id, drawn] = FakeState.draw(state, 8)
  const made: FakeState.Authentication = { id, app: data.app, title: data.title }
  return {
    state: saved(drawn, user, [...ofUser(state, user), made]),
    response: FakeHttp.json(201, {
      links: { next: null, prev: null },
      meta: { count: 1, limit: 1, offset: 0 },
      data: [shown(made)]
    })
  }
})

export const remove = asUser(function* ({ path, state, user }) {
  const { id } = yield* Result.fromNullishOr(find(state, user, path["authentication_id"] ?? ""), () =>
    notFound("authentication")
  )
  return noContent(
    saved(
      state,
      user,
      ofUser(state, user).filter((other) => other.id !== id)
    )
  )
})
