/** The thread that starts the browser, which inherits the environment of the thread. */
import { workerData } from "node:worker_threads"
import open from "open"

await open(String(workerData))
