/** All correct apps. */
import type { Case } from "./case.ts"
import * as ByHand from "./correct/byHand.ts"
import * as Front from "./correct/front.ts"
import * as Library from "./correct/library.ts"

export const correct: ReadonlyArray<Case> = [...ByHand.cases, ...Library.cases, ...Front.cases]
