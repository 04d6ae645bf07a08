import { expect, it } from "@effect/vitest"
import * as Explorer from "@zapier-workflow-auth/testing/Explorer"
import * as Model from "@zapier-workflow-auth/testing/explorer/Model"
import * as FakeHttp from "@zapier-workflow-auth/testing/fake/FakeHttp"
import * as FakeServer from "@zapier-workflow-auth/testing/fake/FakeServer"
import * as FakeState from "@zapier-workflow-auth/testing/fake/FakeState"

// The library with one part changed: what if a write did not expect the version that was read?
it("finds that two processes claim the same refresh", () => {
  const client = Model.library("user", { comparesVersions: () => false })
  const { findings } = Explorer.explore(Model.make({ callers: [1, 1], faults: 0, client }))
  expect(findings[0]?.violation.rule).toBe("R1 one refresher")
})

// A client of your own: two workers that request a token, and count their requests together in three steps.
interface World {
  readonly fake: FakeState.FakeState
  readonly asked: number
  readonly workers: ReadonlyArray<{ readonly read: number | undefined; readonly isDone: boolean }>
}

const ask = FakeHttp.form("POST", "/oauth/token/", { grant_type: "client_credentials" })

const counting: Explorer.Model<World> = {
  initial: [
    {
      label: "no request yet",
      world: {
        fake: FakeState.make(),
        asked: 0,
        workers: [
          { read: undefined, isDone: false },
          { read: undefined, isDone: false }
        ]
      }
    }
  ],
  moves: ({ asked, fake, workers }) =>
    workers.flatMap(({ isDone, read }, index) => {
      const name = index === 0 ? "A" : "B"
      const move = (label: string, world: World) => [
        { label: `${name} ${label}`, world, violations: [], isFault: false }
      ]
      if (isDone) return []
      if (read === undefined) {
        return move("requests and reads", {
          fake: FakeServer.handle(fake, ask, 0).state,
          asked,
          workers: workers.with(index, { read: asked, isDone })
        })
      }
      return move("writes", { fake, asked: read + 1, workers: workers.with(index, { read, isDone: true }) })
    }),
  ending: ({ asked }) =>
    asked === 2 ? [] : [{ rule: "Each request counts", observed: `${asked} was counted instead of 2` }],
  key: ({ asked, workers }) => JSON.stringify([asked, workers])
}

it("finds the shortest trace to a violation", () => {
  const { findings } = Explorer.explore(counting)
  expect(findings[0]).toEqual({
    violation: { rule: "Each request counts", observed: "1 was counted instead of 2" },
    trace: ["no request yet", "A requests and reads", "B requests and reads", "A writes", "B writes"]
  })
})
