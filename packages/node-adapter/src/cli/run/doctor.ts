/** `doctor`: checks the setup, and says what to do about each problem. */
import * as Effect from "effect/Effect"
import { oneLine } from "../../internal/terminalText.ts"
import type * as Flags from "../flags.ts"
import * as Output from "../output.ts"
import { Refused } from "../refused.ts"
import { waiting } from "../waiting.ts"
import { wrap } from "../wrap.ts"
import type { Finding } from "./finding.ts"
import * as LocalChecks from "./localChecks.ts"
import * as ServerChecks from "./serverChecks.ts"

export interface Input extends Flags.Connection {
  readonly offline: boolean
}

const format = ({ check, result, says }: Finding) =>
  `${result.padEnd(6)}  ${wrap(oneLine(`${check}: ${says}`), { indent: " ".repeat(8) })}`

export const doctor = Effect.fnUntraced(function* (input: Input) {
  const json = yield* Output.Json
  const checks = [...LocalChecks.all, ...(input.offline ? [] : ServerChecks.all)]
  let failures = 0
  for (const check of checks) {
    for (const finding of yield* waiting("Checking")(check(input))) {
      if (finding.result === "failed") failures++
      yield* Output.print(json ? JSON.stringify(finding) : format(finding))
    }
  }
  if (failures > 0) {
    return yield* new Refused({
      why: "ChecksFailed",
      problem: failures === 1 ? "1 check failed." : `${failures} checks failed.`
    })
  }
})
