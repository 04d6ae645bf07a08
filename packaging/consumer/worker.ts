/** The three modes in a worker, without Node. */
import { threeModes } from "./threeModes.js"

// The runtime requires a default export.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch: async () => Response.json(await threeModes())
}
