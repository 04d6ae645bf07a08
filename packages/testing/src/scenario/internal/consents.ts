/** Users who begin to connect, decide on Zapier's consent page, and return to the app, in each possible way. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Mutable } from "effect/Types"
import type * as FakeZapier from "../../FakeZapier.ts"
import type { Timeline } from "../../internal/timeline.ts"
import type { App } from "../ScenarioApp.ts"
import type { Account, Authorization, Shown, Subject } from "../ScenarioHistory.ts"
import * as ScenarioNetwork from "./network.ts"
import type * as ScenarioProcesses from "./processes.ts"
import * as ScenarioWays from "./ways.ts"

const stateOf = (url: string) => (URL.canParse(url) ? (new URL(url).searchParams.get("state") ?? undefined) : undefined)

// How long a user takes on the consent page, in milliseconds.
const thought = 10_000

// How long a callback is surely valid, in milliseconds: a code lives for two minutes.
const timely = 60_000

const isExit = <B>(ended: ScenarioProcesses.Ended<B>): ended is Exit.Exit<B, unknown> => typeof ended === "object"

/** The surroundings of a consent. */
interface World<R> {
  readonly zapier: FakeZapier.FakeZapier["Service"]
  readonly network: ReturnType<typeof ScenarioNetwork.make>
  readonly timeline: Timeline
  readonly processes: ScenarioProcesses.Processes<R>
  readonly client: { readonly clientId: string; readonly redirectUri: string }
  readonly atOnce: <B, E>(effect: Effect.Effect<B, E>) => B
  readonly shows: (exit: Exit.Exit<unknown, unknown>, subject: Subject | undefined) => Shown
}

export const make = <R, S, A>(app: App<R, S, A>, world: World<R>) => {
  const { atOnce, client, network, processes, shows, timeline, zapier } = world
  const { inApp } = processes
  const authorizations: Array<Mutable<Authorization>> = []
  // The login with which a user comes back, by action.
  const attempts = new Map<number, Authorization>()

  // The login of a stranger who knows everything public.
  const forge = (): ScenarioWays.Way => {
    const url = `https://api.zapier.com/v2/authorize?${new URLSearchParams({
      response_type: "code",
      client_id: client.clientId,
      redirect_uri: client.redirectUri,
      scope: "zap",
      state: "forged-state-of-a-stranger-0123456789"
    })}`
    const callback = atOnce(
      Effect.orDie(zapier.approve(url, { user: ScenarioNetwork.emailOf(ScenarioNetwork.stranger) }))
    )
    network.sentBack(ScenarioNetwork.stranger, callback)
    return { callback, at: timeline.now(), generation: processes.starts(), authorization: undefined }
  }

  const ways = ScenarioWays.make(forge)

  // The user looks at the consent page for a while, and decides.
  const decideOnConsentPage = Effect.fnUntraced(function* (
    actionId: number,
    subject: Subject,
    decision: "approve" | "deny",
    account: Account
  ): Effect.fn.Return<ScenarioProcesses.Ended<ScenarioWays.Way>> {
    const generation = processes.starts()
    const begun = yield* inApp("LogIn", actionId, subject, () => app.logIn(subject))
    if (!isExit(begun) || begun._tag === "Failure") return begun as ScenarioProcesses.Ended<never>
    network.noteSecret(`a state (${subject})`, stateOf(begun.value))
    const authorization: Mutable<Authorization> = { url: begun.value, subject, at: timeline.now(), usedAt: undefined }
    authorizations.push(authorization)
    attempts.set(actionId, authorization)
    yield* Effect.sleep(thought)
    const back = yield* Effect.exit(zapier[decision](begun.value, { user: ScenarioNetwork.emailOf(subject, account) }))
    if (back._tag === "Failure") return Exit.failCause(back.cause)
    network.sentBack(subject, back.value, account)
    return Exit.succeed({ callback: back.value, at: timeline.now(), generation, authorization })
  })

  const bringBack = (
    actionId: number,
    subject: Subject,
    { authorization, callback }: ScenarioWays.Way,
    comeBack: App<R, S, A>["comeBack"] = app.comeBack
  ) => {
    if (authorization !== undefined) attempts.set(actionId, authorization)
    return Effect.map(
      inApp("ComeBack", actionId, subject, () => comeBack(callback, subject)),
      (ended) => {
        if (authorization !== undefined && isExit(ended) && shows(ended, subject) === "Data") {
          authorization.usedAt ??= timeline.now()
        }
        return ended
      }
    )
  }

  const visitConsentPage = Effect.fnUntraced(function* (
    actionId: number,
    subject: Subject,
    decision: "approve" | "deny",
    account: Account = "own"
  ) {
    const way = yield* decideOnConsentPage(actionId, subject, decision, account)
    if (!isExit(way) || way._tag === "Failure") return way
    if (decision === "approve") ways.use(subject, way.value)
    return yield* bringBack(actionId, subject, way.value)
  })

  return {
    /** The users' logins. */
    authorizations: authorizations as ReadonlyArray<Authorization>,

    /** True if the user began another login at once: an app may keep one per user, and reject either. */
    hasRival: (actionId: number) => {
      const mine = attempts.get(actionId)
      return authorizations.some(
        (other) =>
          other !== mine && mine?.subject === other.subject && (other.at >= mine.at || (other.usedAt ?? 0) >= mine.at)
      )
    },

    visitConsentPage,

    /** Begins a login, and keeps the callback for later. */
    logIn: Effect.fnUntraced(function* (actionId: number, subject: Subject) {
      const way = yield* decideOnConsentPage(actionId, subject, "approve", "own")
      if (isExit(way) && way._tag === "Success") ways.keep(subject, way.value)
      return way
    }),

    /** The callback that a user comes back with, if there is one. */
    wayOf: (subject: Subject, which: Parameters<typeof ways.of>[1]): ScenarioWays.Way | undefined => {
      const way = ways.of(subject, which)
      if (which === "Own" && way !== undefined) ways.use(subject, way)
      return way
    },

    /** True if the app still has to accept the callback. */
    isTimely: ({ at, generation }: ScenarioWays.Way) =>
      generation === processes.starts() && timeline.now() - at < timely,

    bringBack
  }
}
