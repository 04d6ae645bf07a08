/** Promotions: the app enrolls an account on the user's behalf, and unenrolls it itself. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as FakeState from "../../FakeState.ts"
import { type Caller, type Handler, asUser, malformed, noContent, notFound, ok } from "./call.ts"
import * as Catalog from "./catalog.ts"

// Zapier's page of this endpoint names a second member, `user_access_token`, which repeats the header.
export const create = asUser<"promotions.create">(function* ({ clientId, now, payload, state, user }) {
  const { promotion_id: promotionId } = payload
  if (!/^[\w-]+$/.test(promotionId)) {
    return yield* Result.fail(malformed("There is no such promotion.", { pointer: "/promotion_id" }))
  }
  const [drawnId, drawn] = FakeState.draw(state, 12)
  // The id names its owner, because no member of an enrollment does.
  const id = `${promotionId}:${user.id}-${drawnId}`
  const made: FakeState.Enrollment = { id, promotionId, clientId, userId: user.id, enrolledAt: now }
  return {
    state: { ...drawn, enrollments: HashMap.set(drawn.enrollments, id, made) },
    status: 201,
    body: { enrollment_id: id }
  }
})

interface Named extends Caller {
  readonly params: { readonly enrollment_id: string }
}

const find = ({ clientId, params, state, user }: Named) =>
  HashMap.get(state.enrollments, params.enrollment_id).pipe(
    Option.filter((found) => found.clientId === clientId && (user === undefined || user.id === found.userId)),
    Result.fromOption(() => notFound("enrollment"))
  )

const duration = 90 * 24 * 3_600_000

export const read = asUser<"promotions.get">(function* (call) {
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

export const remove: Handler<"promotions.remove"> = function* (call) {
  const { id } = yield* find(call)
  return noContent({ ...call.state, enrollments: HashMap.remove(call.state.enrollments, id) })
}
