/** `doctor`: checks what has to be right, and says what to do where it is not. */
import * as Effect from "effect/Effect"
import * as Output from "../output.ts"
import { oneLine } from "../../internal/terminalText.ts"
import type * as Flags from "../flags.ts"
import { Refused } from "../refused.ts"
import { waiting } from "../waiting.ts"
import type { Finding } from "./finding.ts"
import * as LocalChecks from "./localChecks.ts"
import * as ServerChecks from "./serverChecks.ts"

export interface Input extends Flags.Connection {
  readonly offline: boolean
  readonly json: boolean
}

const line = ({ check, result, says }: Finding) => oneLine(`${result.padEnd(5)}  ${check}: ${says}`)

export const doctor = Effect.fnUntraced(function* (input: Input) {
  const checks = [...LocalChecks.all, ...(input.offline ? [] : ServerChecks.all)]
  let wrong = 0
  for (const check of checks) {
    for (const finding of yield* waiting("Checking")(check(input))) {
      if (finding.result === "wrong") wrong++
      yield* Output.print(input.json ? JSON.stringify(finding) : line(finding))
    }
  }
  if (wrong > 0) return yield* new Refused({ problem: `${wrong} of what was checked must be mended.` })
})
