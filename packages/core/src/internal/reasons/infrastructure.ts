/** Reasons that lie with Zapier, or with the infrastructure. */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { tagged } from "./tagged.ts"

/**
 * An answer of the token endpoint cannot be understood. `problem` says what is wrong with it, never what it held.
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
    return `Zapier's token endpoint gave an answer (status ${this.status}) that cannot be understood: ${this.problem}. Check the configured URL and any proxy in between, then try again.`
  }
}

/**
 * A store could not read or write.
 *
 * @since 0.1.0
 */
export class StoreFailed extends tagged<StoreFailed>()("StoreFailed", {
  store: Schema.String,
  operation: Schema.String,
  problem: Schema.String
}) {
  /** A store that did not respond within so many milliseconds. */
  static silent(store: string, millis: number): StoreFailed {
    return new StoreFailed({ store, operation: "respond", problem: `nothing came within ${millis} ms` })
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
  UnknownKey: "no key with its id was given. Give the key that it was encrypted with, beside the newer ones",
  NotEncrypted:
    "it is not encrypted, so nothing tells who wrote it. If it was stored before encryption was turned on, re-encrypt the store once",
  Altered:
    "it is not what was written there: it was changed or moved, or a newer version of the library wrote it. Find out who can write to the store; then bring the record back from a copy, or remove it and connect again"
} as const

/**
 * A record could not be decrypted. It is left as it is. `keyId` names the key that it was encrypted with; `version` is the
 * version of the record, with which it can be removed.
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
 * The client application could not be read in time: whatever provides it, a secret manager for example, did not respond.
 * Nothing was sent.
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
    return `The client application's credentials could not be read within ${Math.ceil(Duration.toSeconds(this.waited))} s. Nothing was sent. Check what provides them (a secret manager, for example), then try again.`
  }
}

/**
 * A client could not be built: a layer that it is made of failed with an error that is not this library's. `failure` is the
 * name of that error. The next use builds the client again. Programs with Effect have that error itself.
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
    return `The client could not start: a layer that it is made of failed with ${this.failure}. Look at what that layer needs, then try again; Layer.tapCause shows the whole error.`
  }
}

/**
 * An event reached a machine in a state that has no edge for it: a bug, here or in a store.
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
  // The machines are explored; what reaches them otherwise is a record that was not written as it should have been.
  readonly blames = "Store"
  readonly httpStatus = 500
  override get message(): string {
    return `${this.machine} has no transition for ${this.event} in state ${this.state}. Nothing was changed; please report this.`
  }
}
