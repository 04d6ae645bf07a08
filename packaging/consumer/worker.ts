/** The three modes in a worker: there is no Node. */
import { threeModes } from "./threeModes.js"

// It is what the runtime asks for.
// oxlint-disable-next-line import/no-default-export
export default {
  fetch: async () => Response.json(await threeModes())
}
