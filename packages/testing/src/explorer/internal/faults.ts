/** The faults of a world, and what users and the app may do meanwhile. */
import * as DriverState from "@zapier-workflow-auth/core/machine/DriverState"
import * as Lease from "@zapier-workflow-auth/core/machine/Lease"
import * as FakeHttp from "../../fake/FakeHttp.ts"
import * as Callers from "./callers.ts"
import * as Perform from "./perform.ts"
import * as Turn from "./turn.ts"
import * as Server from "./server.ts"
import * as World from "./world.ts"
import type { Client, Of, Process } from "./world.ts"

const ofApp = ["crash", "loss", "refusal", "pause", "store", "clock", "leave", "close", "rejection"] as const

export const kinds = { user: [...ofApp, "consent", "revocation", "disconnect"], app: ofApp } as const

/**
 * - `crash`: a process dies and another takes its place
 * - `loss`: a connection breaks before or after the server has acted; or the response is late, or never arrives
 * - `refusal`: the server responds 429, 503 or `invalid_client`, or acts and responds 503; or it is unreachable
 * - `pause`: a process is paused past its timeouts or past its lease
 * - `store`: an operation of the store fails, whether or not it was carried out, or is slow
 * - `clock`: the clock of a process jumps
 * - `leave`: a caller is interrupted
 * - `close`: a process is closed, and another takes its place
 * - `rejection`: the server ends the access token before it expires
 * - `consent`: the user allows the app again
 * - `revocation`: the user revokes the app's access at Zapier
 * - `disconnect`: the app disconnects the user
 */
export type Kind = (typeof kinds.user)[number]

export type Kinds = ReadonlySet<Kind>

/** A label and a step. Some faults have no effect before time passes. */
type Fault = readonly [label: string, step: (turn: Turn.Turn) => void, shows?: "as time passes"]

const refusals: ReadonlyArray<FakeHttp.FakeResponse> = [
  FakeHttp.json(503, { error: "temporarily_unavailable" }),
  FakeHttp.json(429, {}),
  FakeHttp.json(401, { error: "invalid_client" })
]

// In milliseconds. Clocks that disagree by less than a lease's margin do no harm.
const leaps = [20_000, -20_000, 3_600_000, -3_600_000]

const crash = ({ name, operations }: Process): Fault => [
  `${name} crashes`,
  (turn) => {
    for (const operation of operations) if (World.isOnItsWay(operation)) Turn.stray(turn, operation)
    Perform.restart(turn, name)
  }
]

const ofSend = (kinds: Kinds, process: Process, send: Of<"Send">): ReadonlyArray<Fault> => {
  const { id, key } = send
  const { name } = process
  const faults: Array<Fault> = []
  const may = (...fault: Fault) => void faults.push(fault)
  const isOnItsWay = send.response === undefined && send.delivery === undefined
  const conclude = (turn: Turn.Turn, outcome: World.Outcome & { readonly _tag: "NoResponse" | "NotSent" }) => {
    Turn.responded(turn, process, send, outcome)
    if (process.isPaused) return Turn.replace(turn, name, { ...send, outcome })
    Turn.drop(turn, name, send)
    Turn.feed(turn, name, key, { _tag: "Responded", id, outcome })
  }
  if (kinds.has("loss") && send.outcome === undefined) {
    const broken = (turn: Turn.Turn) => {
      if (isOnItsWay) Turn.stray(turn, send)
      conclude(turn, { _tag: "NoResponse" })
    }
    if (send.delivery !== "Silent") may(`the connection of ${name} breaks`, broken)
    const withDelivery = (turn: Turn.Turn, delivery: "Slow" | "Silent") =>
      Turn.replace(turn, name, { ...send, response: undefined, delivery })
    if (isOnItsWay) {
      may(`the response to ${name} is late`, (turn) => withDelivery(turn, "Slow"), "as time passes")
    }
    if (send.delivery === undefined) {
      may(
        `no response reaches ${name}`,
        (turn) => {
          if (isOnItsWay) Turn.stray(turn, send)
          withDelivery(turn, "Silent")
        },
        "as time passes"
      )
    }
  }
  if (kinds.has("refusal") && isOnItsWay) {
    const respond = (turn: Turn.Turn, response: FakeHttp.FakeResponse) =>
      Turn.replace(turn, name, { ...send, response })
    for (const response of refusals) {
      may(`the server rejects ${name} with ${response.status}`, (turn) => respond(turn, response))
    }
    may(`the server acts for ${name}, and responds with 503`, (turn) => {
      turn.world = Server.arrive(turn.world, send.request).world
      respond(turn, FakeHttp.json(503, { error: "server_error" }))
    })
    may(`the server is unreachable for ${name}`, (turn) => conclude(turn, { _tag: "NotSent", code: "ECONNREFUSED" }))
  }
  return faults
}

const ofSave = (kinds: Kinds, process: Process, save: Of<"Save">): ReadonlyArray<Fault> => {
  if (!kinds.has("store") || save.isHung || save.result !== undefined || process.isPaused) return []
  const { name } = process
  const failed = (turn: Turn.Turn) => {
    Turn.drop(turn, name, save)
    Turn.feed(turn, name, save.key, { _tag: "StoreFailed", id: save.id, reason: Perform.storeFailure })
  }
  return [
    [`the write of ${name} fails`, failed],
    [
      `${name} writes ${save.state._tag}, but gets an error`,
      (turn) => {
        Turn.write(turn, World.ownerOf(process), World.wall(turn.world, process), save, { isUnconfirmed: true })
        failed(turn)
      }
    ],
    [
      `${name} writes ${save.state._tag}, but gets no result`,
      (turn) => {
        Turn.write(turn, World.ownerOf(process), World.wall(turn.world, process), save, { isUnconfirmed: true })
        Turn.replace(turn, name, { ...save, isHung: true })
      }
    ],
    [
      `the write of ${name} is slow`,
      (turn) => {
        const late = { name, owner: World.ownerOf(process), save }
        turn.world = { ...turn.world, lateWrites: [...turn.world.lateWrites, late] }
        Turn.replace(turn, name, { ...save, isHung: true })
      },
      "as time passes"
    ]
  ]
}

// A resumed process reads its socket in its grace period, and is not paused again in it.
const isListening = ({ drivers }: Process, now: number) =>
  Object.values(drivers).some(
    ({ grace, request }) => grace !== undefined && request !== undefined && request.until <= now
  )

const ofProcess = (client: Client, kinds: Kinds, process: Process, world: World.World): ReadonlyArray<Fault> => {
  const { callers, isClosing, isPaused, name, operations } = process
  const owner = World.ownerOf(process)
  const faults: Array<Fault> = []
  const may = (...fault: Fault) => void faults.push(fault)
  if (kinds.has("crash") && operations.length > 0) faults.push(crash(process))
  for (const operation of operations) {
    if (operation._tag === "Send") faults.push(...ofSend(kinds, process, operation))
    if (operation._tag === "Save") faults.push(...ofSave(kinds, process, operation))
  }
  if (isPaused) return faults
  if (kinds.has("pause") && operations.length > 0 && !isListening(process, world.now)) {
    may(
      `${name} is paused`,
      (turn) => {
        Turn.change(turn, name, { isPaused: true })
        Turn.observe(turn, { _tag: "ProcessPaused", owner })
      },
      "as time passes"
    )
  }
  if (kinds.has("leave")) {
    const waiting = callers.find(({ doing }) => doing._tag === "Waiting")
    const key = waiting?.wants === "Access" ? World.shared : keyOf(process, waiting?.id)
    if (waiting !== undefined && key !== undefined) {
      may(`a caller of ${name} is interrupted`, (turn) => {
        Callers.finish(turn, name, waiting, true)
        Turn.feed(turn, name, key, { _tag: "Left", caller: waiting.id })
      })
    }
  }
  if (kinds.has("close") && !isClosing && World.isBusy(process)) {
    may(`${name} is closed`, (turn) => {
      Turn.change(turn, name, { isClosing: true })
      for (const [key, state] of Object.entries(process.drivers)) {
        if (DriverState.isBusy(state)) Turn.feed(turn, name, key, { _tag: "Closing" })
      }
    })
  }
  if (kinds.has("consent") && !isClosing && client.mode === "user") {
    may(`the user allows the app again, and ${name} gets the callback`, (turn) => {
      const [allowed, callback] = Server.consent(turn.world)
      turn.world = allowed
      Callers.callBack(turn, name, callback)
    })
  }
  if (kinds.has("disconnect") && !isClosing && world.history.record._tag !== "Absent") {
    may(`${name} disconnects the user`, (turn) => {
      Turn.observe(turn, { _tag: "DisconnectAsked", owner })
      Callers.bring(turn, name, World.shared, { _tag: "Disconnected" }, true)
    })
  }
  return faults
}

/** A clock jumps. It has an effect as soon as its process does something. */
export const jumps = ({ name }: Process): ReadonlyArray<Fault> =>
  leaps.map((leap) => [
    `the clock of ${name} jumps by ${leap} ms`,
    (turn) => {
      Turn.change(turn, name, { offset: leap })
      if (Math.abs(leap) > Lease.margin) Turn.observe(turn, { _tag: "ClocksDisagree" })
    }
  ])

// The driver to which a caller brought its event.
const keyOf = ({ drivers }: Process, caller: number | undefined) =>
  Object.entries(drivers).find(([, { callers }]) => callers.some(({ id }) => id === caller))?.[0]

/** All faults of these kinds that may happen now. */
export const all = (client: Client, kinds: Kinds, world: World.World): ReadonlyArray<Fault> => {
  const faults = world.processes.flatMap((process) => ofProcess(client, kinds, process, world))
  if (kinds.has("rejection") && World.accessOf(World.slot(world, World.shared)) !== undefined) {
    faults.push(["the server ends the access token", (turn) => (turn.world = Server.endAccess(turn.world))])
  }
  if (client.mode === "app") return faults
  if (kinds.has("revocation") && world.history.record._tag !== "Absent") {
    faults.push(["the user revokes the app's access at Zapier", (turn) => (turn.world = Server.revoke(turn.world))])
  }
  return faults
}
