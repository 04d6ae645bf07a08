/** True if secrets may be encoded: only while a store's record is written. Do not provide it elsewhere. */
import * as Context from "effect/Context"

export const InClear = /* @__PURE__ */ Context.Reference<boolean>("@zapier-workflow-auth/core/internal/InClear", {
  defaultValue: () => false
})
