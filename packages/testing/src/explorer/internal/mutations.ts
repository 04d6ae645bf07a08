/** Builds mutants: machines that are shown a false state or input, and drivers with altered steps. */
import * as AppCredential from "@zapier-workflow-auth/core/machine/AppCredential"
import type * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import type * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import type * as Machine from "@zapier-workflow-auth/core/machine/Machine"
import type * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"
import type * as Model from "../Model.ts"

// Returns a false state or input, where the mutant has to be misled.
type Lie<S, I, N> = (state: S, input: I, now: N) => { readonly state?: S; readonly input?: I } | false

const misled =
  <S, I, N, R>(lie: Lie<S, I, N>, step: (state: S, input: I, now: N) => R) =>
  (state: S, input: I, now: N): R => {
    const lied = lie(state, input, now) || {}
    return step(lied.state ?? state, lied.input ?? input, now)
  }

// Misleads a machine.
export const shown =
  <S extends Machine.Tagged, E extends Machine.Tagged>(lie: Lie<S, E, number>) =>
  <C extends Machine.Tagged, R, O>(driven: DriverState.Driven<S, E, C, R, O>): DriverState.Driven<S, E, C, R, O> => ({
    ...driven,
    machine: { ...driven.machine, step: misled(lie, driven.machine.step) }
  })

export const grants = (lie: Lie<UserGrant.State, UserGrant.Event, number>): Model.Parts => ({ grants: shown(lie) })

export const apps = (lie: Lie<AppCredential.State, AppCredential.Event, number>): Model.Parts => ({ apps: shown(lie) })

type Step = Model.AnyDriver["step"]
type State = Parameters<Step>[0]
type Input = Parameters<Step>[1]

export const drivers = (lie: Lie<State, Input, DriverState.Now>): Model.Parts => ({ step: (step) => misled(lie, step) })

// Alters the next state of a driver.
export const changed = (change: (next: State, before: State, input: Input) => State): Model.Parts => ({
  step: (step) => (state, input, now) => {
    const next = step(state, input, now)
    return { ...next, state: change(next.state, state, input) }
  }
})

export const isDemand = ({ _tag }: Machine.Tagged) => _tag === "AccessTokenRequested" || _tag === "AccessTokenRejected"

// A lease that has ended.
export const ended = <S extends { readonly lease: Lease.Lease }>(state: S, now: number): S => ({
  ...state,
  lease: { ...state.lease, deadline: Math.min(state.lease.deadline, now) }
})

// The event, as if the current generation and the owner of the lease had caused it.
export const asCurrent = (state: UserGrant.State, event: UserGrant.Event): UserGrant.Event => {
  if (state._tag === "Absent" || !("generation" in event)) return event
  const { family, generation } = state
  return { ...event, family, generation, owner: state._tag === "Refreshing" ? state.lease.owner : event.owner }
}

export const sendsFirst: Model.Parts = {
  step: (step) => (state, input, now) => {
    const next = step(state, input, now)
    const { store } = next.state
    if (input._tag !== "Loaded" || store._tag !== "Saving" || store.task._tag !== "Demand") return next
    const saved = step(next.state, { _tag: "Saved", id: store.id }, now)
    return { state: saved.state, outputs: [...saved.outputs, ...next.outputs] }
  }
}

export const forgetsCallers = (on: Input["_tag"]) =>
  changed((next, _, input) => (input._tag === on ? { ...next, callers: [] } : next))

// Abandons a request that outlasts its callers, without closing it.
export const givesUpEarly: Model.Parts = {
  step: (step) => (state, input, now) => {
    const { callers, request } = state
    const isLate = input._tag === "Woken" && callers.some(({ until }) => until <= now.elapsed)
    if (!isLate || request === undefined) return step(state, input, now)
    const given = step(state, { _tag: "Responded", id: request.id, outcome: { _tag: "NoResponse" } }, now)
    const next = step(given.state, input, now)
    return { state: next.state, outputs: [...given.outputs, ...next.outputs] }
  }
}

// Waits for responses for a time that does not depend on the lease.
export const listensFor = (milliseconds: number): Model.Parts => {
  const prolonged =
    <C, R>(order: (command: C, now: number) => DriverState.Order<R>) =>
    (command: C, now: number): DriverState.Order<R> => {
      const given = order(command, now)
      return given._tag === "Send" && given.deadline !== Infinity
        ? { ...given, deadline: now + milliseconds, completes: true }
        : given
    }
  return {
    grants: (driven) => ({ ...driven, order: prolonged(driven.order) }),
    apps: (driven) => ({ ...driven, order: prolonged(driven.order) }),
    attempts: (driven) => ({ ...driven, order: prolonged(driven.order) })
  }
}

export const endsGrant = (tag: "InvalidClient" | "RateLimited"): Model.Parts => ({
  grants: (driven) => ({
    ...driven,
    conclude: (about, outcome, isAwaited) =>
      driven.conclude(about, outcome._tag === tag ? { _tag: "InvalidGrant" } : outcome, isAwaited)
  })
})

// Hides the generation of an access token.
const nameless = <R>(order: DriverState.Order<R>): DriverState.Order<R> =>
  order._tag === "Use" ? { ...order, access: { ...order.access, generation: 0 } } : order

export const renewsForOld401s: Model.Parts = {
  grants: (driven) => ({
    ...shown<UserGrant.State, UserGrant.Event>(
      (state, event) => event._tag === "AccessTokenRejected" && { input: asCurrent(state, event) }
    )(driven),
    idOf: (state) => (state._tag === "Absent" ? undefined : { family: state.family, generation: 0 }),
    order: (command, now) => nameless(driven.order(command, now))
  }),
  apps: (driven) => ({
    ...shown<AppCredential.State, AppCredential.Event>(
      (state, event) =>
        state._tag !== "Absent" &&
        event._tag === "AccessTokenRejected" && { input: { ...event, generation: state.generation } }
    )(driven),
    idOf: () => ({ family: AppCredential.family, generation: 0 }),
    order: (command, now) => nameless(driven.order(command, now))
  })
}
