/** A process of a simulation, as its stores and its network know it. */
import type { Fault } from "../Fault.ts"
import type { Room } from "./timeline.ts"

/** Whether an operation that fails was carried out. Whoever asked for it does not know. */
export type StoreFailure = "Done" | "NotDone"

/** A process as the world sees it from outside. */
export interface Host {
  readonly slot: number
  /** Its name in leases. */
  readonly owner: string
  readonly room: Room
  /** What is to happen to its next token requests, in order. */
  readonly armed: Array<Fault>
  /** It has ended: whatever it still waits for never comes. */
  isGone: boolean
  /** How many of its store operations are on their way. They arrive, even if it ends. */
  pending: number
  /** It ends as soon as its next write of a grant is done. */
  endsAfterWrite: boolean
  /** It stands still as soon as it turns to the store again. */
  standsAtStore: boolean
  /** How its next operations of a store of tokens fail, in order. */
  readonly failures: Array<StoreFailure>
  /** When the store failed it last. */
  failedAt: number
  /** How often it has stood still, and since when it has not. */
  standstills: number
  awakeSince: number
}
