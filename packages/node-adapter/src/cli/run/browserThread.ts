/** The thread that starts the browser: what it starts has the environment that the thread was given. */
import { workerData } from "node:worker_threads"
import open from "open"

await open(String(workerData))
