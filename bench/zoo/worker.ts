/** Checks apps of the zoo, one after another, on the parent's orders. */
import * as Workers from "../workers.ts"
import { carryOut, type Order } from "./try.ts"

for await (const order of Workers.commands<Order>()) Workers.sendToParent(await carryOut(order))
