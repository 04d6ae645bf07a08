import * as Schema from "effect/Schema"

/** A command did not do what it was asked to: why, and what to do, in one or two lines. */
export class Refused extends Schema.TaggedError<Refused>("@zapier-workflow-auth/node-adapter/cli/Refused")("Refused", {
  problem: Schema.String
}) {
  override get message(): string {
    return this.problem
  }
}
