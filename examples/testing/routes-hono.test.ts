import * as ScenarioPromise from "@zapier-workflow-auth/testing/ScenarioPromise"
import { expect, test } from "vitest"
import { makeApp } from "./routes/hono.ts"
import { type Database, makeDatabase } from "./routes/zapier.ts"

// The app under test: its start, its routes, and the state that survives a restart.
const app: ScenarioPromise.App<Database> = {
  start: (given) => makeApp(given).fetch,
  stores: makeDatabase,
  routes: {
    signIn: (user) => ({ method: "POST", path: "/login", form: { user } }),
    connect: "/zapier/connect",
    callback: "/zapier/callback",
    page: "/zaps",
    disconnect: { method: "POST", path: "/zapier/disconnect" }
  }
}

test("the app keeps to every rule, whatever happens", async () => {
  const { served } = await ScenarioPromise.check(app, { runs: 30 })
  expect(served).toBeGreaterThan(30)
})

test("an app that takes a callback in any browser is found out", async () => {
  const wrong = { ...app, start: (given: ScenarioPromise.Given<Database>) => makeApp(given, false).fetch }
  await expect(ScenarioPromise.check(wrong)).rejects.toThrow(/begins to connect.*\n.*comes back .* in another browser/)
})

// A script from a broken rule stays as a test.
test("a login ends in the browser that began it", async () => {
  await ScenarioPromise.run(app, [
    { _tag: "LogIn", subject: "ada" },
    { _tag: "ComeBack", subject: "ada", with: "Own", browser: "Other" },
    { _tag: "Call", subject: "ada" }
  ])
})
