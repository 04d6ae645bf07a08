import * as Schema from "effect/Schema"

/** Why a command failed, as `_tag` of its error says it with `--json`. */
const Why = Schema.Literals([
  "CannotListen",
  "CannotRead",
  "CannotWrite",
  "ChecksFailed",
  "HttpStatus",
  "InsufficientScope",
  "InvalidConfig",
  "LoginContested",
  "LoginTimedOut",
  "NothingEntered",
  "NothingStored",
  "ReconnectRequired",
  "ReencryptFailed",
  "ResponseBroken",
  "TransportFailed",
  "UnknownEndpoint",
  "WrongStage"
])

/** A command failed: what happened, and the command to run next, if there is one. */
export class Refused extends Schema.TaggedError<Refused>("@zapier-workflow-auth/node-adapter/cli/Refused")("Refused", {
  why: Why,
  problem: Schema.String,
  /** A command as it is typed. */
  run: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return this.problem
  }
}
