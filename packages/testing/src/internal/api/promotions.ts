/** Promotions: a user's account is enrolled on the user's behalf, and unenrolled by the app itself. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as FakeHttp from "../../FakeHttp.ts"
import * as FakeState from "../../FakeState.ts"
import { type Call, type Handler, asUser, noContent, ok, parseBody } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Problem from "./problem.ts"

// Zapier's page of this endpoint names a second member, `user_access_token`, which says the same as the header.
const parse = parseBody(Schema.Struct({ promotion_id: Schema.String.check(Schema.isPattern(/^[\w-]+$/)) }))

export const create = asUser(function* ({ clientId, now, request, state, user }) {
  const { promotion_id: promotionId } = yield* parse(request)
  const [drawnId, drawn] = FakeState.draw(state, 12)
  const id = `${promotionId}:${drawnId}`
  const made: FakeState.Enrollment = { id, promotionId, clientId, userId: user.id, enrolledAt: now }
  return {
    state: { ...drawn, enrollments: HashMap.set(drawn.enrollments, id, made) },
    response: FakeHttp.json(201, { enrollment_id: id })
  }
})

const find = (call: Call): Result.Result<FakeState.Enrollment, FakeHttp.FakeResponse> => {
  const found = Option.getOrUndefined(HashMap.get(call.state.enrollments, call.path["enrollment_id"] ?? ""))
  const isCallers =
    found !== undefined &&
    found.clientId === call.clientId &&
    (call.user === undefined || call.user.id === found.userId)
  return isCallers ? Result.succeed(found) : Result.fail(Problem.notFound("enrollment"))
}

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
