/** Users' accounts in other apps. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as FakeState from "../../FakeState.ts"
import { asUser, malformed, noContent, notFound } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Paging from "./paging.ts"

/** The account that a user has for each app from the start. */
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

export const shown = ({ app, id, isExpired = false, title }: FakeState.Authentication) => ({
  type: "authentication",
  id,
  app,
  is_expired: isExpired,
  title
})

/** The app named by a required query parameter. */
export const appInQuery = ({ query }: { readonly query: { readonly app: string } }) =>
  Result.fromNullishOr(Catalog.app(query.app), () => malformed("app has to be the id of an app.", { parameter: "app" }))

export const list = asUser<"authentications.list">(function* (call) {
  const { uuid } = yield* appInQuery(call)
  const found = ofUser(call.state, call.user).filter(({ app }) => app === uuid)
  return yield* Paging.v2(call, found.map(shown))
})

export const create = asUser<"authentications.create">(function* ({ payload: { data }, state, user }) {
  if (Catalog.app(data.app) === undefined) {
    return yield* Result.fail(malformed("There is no such app.", { pointer: "/data/app" }))
  }
  const [id, drawn] = FakeState.draw(state, 8)
  const made: FakeState.Authentication = { id, app: data.app, title: data.title }
  return {
    state: saved(drawn, user, [...ofUser(state, user), made]),
    status: 201,
    body: { links: { next: null, prev: null }, meta: { count: 1, limit: 1, offset: 0 }, data: [shown(made)] }
  }
})

/** Adds a connection, as a user does on the Connect page. Its id is a number, as text. */
export const add = (
  state: FakeState.FakeState,
  user: FakeState.User,
  app: Catalog.App
): { readonly state: FakeState.FakeState; readonly id: string } => {
  const counter = state.counter + 1
  const id = String(firstNumber + counter)
  const made: FakeState.Authentication = { id, app: app.uuid, title: `${app.title} ${user.email}` }
  return { id, state: saved({ ...state, counter }, user, [...ofUser(state, user), made]) }
}

const firstNumber = 9_000_000

/** Marks a connection as expired, or as valid again. */
export const setExpired = (
  state: FakeState.FakeState,
  user: FakeState.User,
  id: string,
  isExpired: boolean
): FakeState.FakeState =>
  saved(
    state,
    user,
    ofUser(state, user).map((one) => (one.id === id ? { ...one, isExpired } : one))
  )

export const remove = asUser<"authentications.remove">(function* ({ params, state, user }) {
  const { id } = yield* Result.fromNullishOr(find(state, user, params.authentication_id), () =>
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
