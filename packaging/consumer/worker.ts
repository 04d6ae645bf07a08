/** The three modes in a worker: there is no Node. */
import { threeModes } from "./threeModes.js"

export default {
  fetch: async () => Response.json(await threeModes())
}
