/** What it breaks to send a code. */
import * as ConsentAttempt from "@zapier-workflow-auth/core/machine/ConsentAttempt"
import type { Ledger, Observation, Observed, Violation } from "../../Invariants.ts"

export const sent = (ledger: Ledger, { at, code }: Extract<Observation, { _tag: "CodeSent" }>): Observed => {
  const known = ledger.codes.find((entry) => entry.code === code)
  const violations: Array<Violation> = []
  if (known?.wasSent === true) {
    violations.push({ rule: "R9 a code is exchanged once", what: "a code was sent twice" })
  }
  if (known === undefined || at - known.arrivedAt >= ConsentAttempt.codeLifetime) {
    violations.push({
      rule: "R9 a code is exchanged once",
      what: "a code was sent more than two minutes after it came"
    })
  }
  return {
    ledger: {
      ...ledger,
      codes: ledger.codes.map((entry) => (entry.code === code ? { ...entry, wasSent: true } : entry))
    },
    violations
  }
}
