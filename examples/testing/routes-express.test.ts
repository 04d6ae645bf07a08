import * as ScenarioNode from "@zapier-workflow-auth/testing/ScenarioNode"
import * as ScenarioPromise from "@zapier-workflow-auth/testing/ScenarioPromise"
import { expect, test } from "vitest"
import { makeApp } from "./routes/express.ts"
import { type Database, makeDatabase } from "./routes/zapier.ts"

// An app for Node's server also needs ScenarioNode.toFetch, which passes requests to it without a socket.
const appWith = (sharesRefreshes: boolean): ScenarioPromise.App<Database> => ({
  start: (given) => ScenarioNode.toFetch(makeApp(given, sharesRefreshes)),
  stores: makeDatabase,
  routes: {
    signIn: (user) => ({ method: "POST", path: "/login", form: { user } }),
    connect: "/zapier/connect",
    callback: "/zapier/callback",
    page: "/zaps",
    disconnect: { method: "POST", path: "/zapier/disconnect" }
  }
})

test("the app keeps to every rule, whatever happens", async () => {
  const { served } = await ScenarioPromise.check(appWith(true), { runs: 30 })
  expect(served).toBeGreaterThan(30)
})

test("an app that lets every request refresh for itself is found out", async () => {
  await expect(ScenarioPromise.check(appWith(false))).rejects.toMatchObject({ rule: "One refresh for each expiry" })
})
