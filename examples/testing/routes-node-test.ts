import assert from "node:assert/strict"
import { test } from "node:test"
import * as ScenarioPromise from "@zapier-workflow-auth/testing/ScenarioPromise"
import { makeApp } from "./routes/hono.ts"
import { makeDatabase } from "./routes/zapier.ts"

// Jest works the same way. Run it with: node --test routes-node-test.ts
void test("the app keeps to every rule, whatever happens", async () => {
  const { served } = await ScenarioPromise.check(
    {
      start: (given) => makeApp(given).fetch,
      stores: makeDatabase,
      routes: {
        signIn: (user) => ({ method: "POST", path: "/login", form: { user } }),
        connect: "/zapier/connect",
        callback: "/zapier/callback",
        page: "/zaps",
        disconnect: { method: "POST", path: "/zapier/disconnect" }
      }
    },
    { runs: 20 }
  )
  assert.ok(served > 20)
})
