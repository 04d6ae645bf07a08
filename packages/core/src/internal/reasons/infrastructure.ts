/** Reasons at Zapier or in the infrastructure. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * A response of the token endpoint cannot be understood. `problem` says why, without repeating its content.
 *
 * @since 0.1.0
 */
export class MalformedResponse extends tagged<MalformedResponse>()("MalformedResponse", {
  status: Schema.Int,
  problem: Schema.String
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Zapier"
  readonly httpStatus = 502
  override get message(): string {
    return `Zapier's token endpoint sent a response (status ${this.status}) that cannot be understood: ${this.problem}. Check the configured URL and any proxy, then try again.`
  }
}

/**
 * A store failed to read or write, or did not respond.
 *
 * @since 0.1.0
 */
export class StoreFailed extends tagged<StoreFailed>()("StoreFailed", {
  store: Schema.String,
  operation: Schema.String,
  problem: Schema.String
}) {
  /** Makes the error of a store that did not respond within so many milliseconds. */
  static silent(store: string, millis: number): StoreFailed {
    return new StoreFailed({ store, operation: "respond", problem: `it timed out after ${millis} ms` })
  }
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Store"
  readonly httpStatus = 503
  override get message(): string {
    return `The ${this.store} could not ${this.operation}: ${this.problem}. Check the store, then try again.`
  }
}

const decryptionProblems = {
  UnknownKey: "its key is not configured. Add that key after the current one",
  NotEncrypted:
    "it is not encrypted, so its origin is uncertain. If it was stored before encryption was turned on, re-encrypt the store once",
  Altered:
    "it was changed or moved, or written by a newer version of the library. Check who can write to the store; then restore the record from a backup, or remove it and reconnect"
} as const

/**
 * A record could not be decrypted. It was left unchanged.
 *
 * `keyId` names the key that encrypted it. `version` is the record's version, with which it can be removed.
 *
 * @since 0.1.0
 */
export class DecryptionFailed extends tagged<DecryptionFailed>()("DecryptionFailed", {
  store: Schema.String,
  problem: Schema.Literals(["UnknownKey", "NotEncrypted", "Altered"]),
  keyId: Schema.optionalKey(Schema.String),
  version: Schema.optionalKey(Schema.Int)
}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  readonly blames = "Store"
  readonly httpStatus = 500
  override get message(): string {
    const key = this.keyId === undefined ? "" : ` (key ${this.keyId})`
    return `A record in the ${this.store} cannot be read${key}: ${decryptionProblems[this.problem]}.`
  }
}

/**
 * The client application could not be read in time: its source, for example a secret manager, did not respond. Nothing was
 * sent.
 *
 * @since 0.1.0
 */
export class ApplicationUnavailable extends tagged<ApplicationUnavailable>()("ApplicationUnavailable", {
  waited: Schema.DurationFromMillis
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "AppOwner"
  readonly httpStatus = 503
  override get message(): string {
    return `The client application's credentials could not be read within ${Math.ceil(Duration.toSeconds(this.waited))} s. Nothing was sent. Check their source (for example a secret manager), then try again.`
  }
}

/**
 * A client could not start: one of its layers failed with an error of another library.
 *
 * `failure` is the name of that error; programs with Effect get the error itself. The next use tries to start again.
 *
 * @since 0.1.0
 */
export class StartFailed extends tagged<StartFailed>()("StartFailed", {
  failure: Schema.String
}) {
  readonly isRetryable = true
  readonly needsReconnect = false
  readonly blames = "Caller"
  readonly httpStatus = 503
  override get message(): string {
    return `The client could not start: one of its layers failed with ${this.failure}. Check what that layer needs, then try again; Layer.tapCause shows the whole error.`
  }
}

/**
 * A machine got an event for which its state has no edge: a bug in the library or in a store.
 *
 * @since 0.1.0
 */
export class IllegalTransition extends tagged<IllegalTransition>()("IllegalTransition", {
  machine: Schema.String,
  state: Schema.String,
  event: Schema.String
}) {
  readonly isRetryable = false
  readonly needsReconnect = false
  // All states of the machines are explored by tests, so the likely cause is a wrong record.
  readonly blames = "Store"
  readonly httpStatus = 500
  override get message(): string {
    return `${this.machine} has no transition for ${this.event} in state ${this.state}. Nothing was changed; please report this.`
  }
}
