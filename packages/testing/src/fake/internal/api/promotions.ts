/** Promotions: a user's account is enrolled on the user's behalf, and unenrolled by the app itself. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as FakeHttp from "../../FakeHttp.ts"
import * as FakeState from "../../FakeState.ts"
import { type Call, type Handler, asUser, noContent, notFound, ok, parseBody } from "./call.ts"
import * as Catalog from "./catalog.ts"

// Zapier's page of this endpoint names a second member, `user_access_token`, which says the same as the header.
const parse = parseBody(Schema.Struct({ promotion_id: Schema.String.check(Schema.isPattern(/^[\w-]+$/)) }))

export const create = asUser(function* ({ clientId, now, request, state, user }) {
  const { promotion_id: promotionId } = yield* parse(request)
  const [drawnId, drawn] = FakeState.draw(state, 12)
  // It tells whose it is: what is read of an enrollment has no member that does.
  const id = `${promotionId}:${user.id}-${drawnId}`
  const made: FakeState.Enrollment = { id, promotionId, clientId, userId: user.id, enrolledAt: now }
  return {
    state: { ...drawn, enrollments: HashMap.set(drawn.enrollments, id, made) },
    response: FakeHttp.json(201, { enrollment_id: id })
  }
})

const find = ({ clientId, path, state, user }: Call) =>
  HashMap.get(state.enrollments, path["enrollment_id"] ?? "").pipe(
    Option.filter((found) => found.clientId === clientId && (user === undefined || user.id === found.userId)),
    Result.fromOption(() => notFound("enrollment"))
  )

const duration = 90 * 24 * 3_600_000

export const read = asUser(function* (call) {
  const { enrolledAt, promotionId } = yield* find(call)
  return ok({
    promotion_id: promotionId,
    enrollment_date: Catalog.timestamp(enrolledAt),
    expiration_date: Catalog.timestamp(enrolledAt + duration),
    task_limit_per_month: 5,
    tasks_used_this_month: 0,
    status: "enrolled"
  })
})

export const remove: Handler = function* (call) {
  const { id } = yield* find(call)
  return noContent({ ...call.state, enrollments: HashMap.remove(call.state.enrollments, id) })
}
