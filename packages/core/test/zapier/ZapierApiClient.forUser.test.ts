import { assert, describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Credential from "../../src/zapier/Credential.ts"
import * as Endpoint from "../../src/zapier/Endpoint.ts"
import * as Operation from "../../src/zapier/Operation.ts"
import * as ZapierApiClient from "../../src/zapier/ZapierApiClient.ts"
import * as TestZapier from "../utils/TestZapier.ts"
import * as TypedZapier from "../utils/TypedZapier.ts"

const { respond } = TestZapier
const { categories, run, subject, zap } = TypedZapier

const page = (...ids: ReadonlyArray<string>) =>
  respond(200, { data: ids.map(zap), links: { next: null }, meta: { count: 2 } })

const ways = (zapier: ReturnType<typeof TestZapier.make>) =>
  zapier.apiRequests.map(({ authorization }) => authorization?.split(" ")[0] ?? "-")

describe("ZapierApiClient.forUser", () => {
  it.effect("names the user in each call that takes a user's token, and in those of streams", () =>
    run(
      [page("1"), page("1", "2"), page("2"), respond(200, categories())],
      Effect.fnUntraced(function* (client, zapier) {
        const mine = ZapierApiClient.forUser(client, subject)
        const { data } = yield* mine.zaps.list()
        assert.deepStrictEqual(data[0]?.id, "1")
        const entries = yield* Stream.runCollect(mine.zaps.list.items({ query: { limit: 2 } }))
        assert.strictEqual(entries.length, 2)
        assert.strictEqual((yield* Stream.runCollect(mine.zaps.list.pages())).length, 1)
        yield* mine.categories.list()
        assert.deepStrictEqual(ways(zapier), ["Bearer", "Bearer", "Bearer", "-"])
        assert.strictEqual(zapier.apiRequests[1]?.url.searchParams.get("limit"), "2")
      })
    )
  )

  it.effect("accepts no other subject, even from a JavaScript program", () =>
    run(
      [page(), page()],
      Effect.fnUntraced(function* (client, zapier) {
        const mine = ZapierApiClient.forUser(client, subject)
        for (const other of [{ subject: "eve" }, { credential: Credential.user("eve") }]) {
          yield* mine.zaps.list(other as {})
        }
        // Eve is not connected.
        assert.deepStrictEqual(ways(zapier), ["Bearer", "Bearer"])
        const { reason } = yield* Effect.flip(
          Effect.catchTag(
            mine.zaps.list("eve" as {}),
            ["ZapierApiError", "HttpClientError", "UnexpectedResponse"],
            Effect.die
          )
        )
        expect(reason).toMatchObject({ _tag: "InvalidConfig", setting: "request" })
      })
    )
  )

  it.effect("has each function and stream of the client, and leaves those alone that take no user's token", () =>
    run(
      [],
      Effect.fnUntraced(function* (client) {
        const functions = (of: object) =>
          new Map(
            Object.entries(of).flatMap(([group, members]) =>
              Object.entries<object>(members).map(([name, call]) => [`${group}.${name}`, call] as const)
            )
          )
        const own = functions(client)
        const mine = functions(ZapierApiClient.forUser(client, subject))
        assert.deepStrictEqual([...mine.keys()].sort(), [...Operation.names].sort())
        for (const name of Operation.names) {
          const { modes } = Endpoint.requirement(Operation.table[name])
          assert.strictEqual(mine.get(name) === own.get(name), !modes.includes("User"), name)
          assert.deepStrictEqual(
            Object.keys(mine.get(name) ?? {}).sort(),
            Object.keys(own.get(name) ?? {}).sort(),
            name
          )
        }
        yield* Effect.void
      })
    )
  )

  it("takes the parameters alone", () => {
    type User = ZapierApiClient.UserClient
    expectTypeOf<Parameters<User["profiles"]["me"]>>().toEqualTypeOf<[request?: {}]>()
    expectTypeOf<Parameters<User["zaps"]["remove"]>>().toEqualTypeOf<
      [request: { readonly params: { readonly id: string } }]
    >()
    expectTypeOf<Parameters<User["promotions"]["remove"]>[0]>().toExtend<{
      readonly credential?: Credential.App | undefined
    }>()
    const wrong = (mine: User) => [
      // @ts-expect-error nobody else is named
      mine.zaps.list({ subject: "eve" }),
      // @ts-expect-error the id is missing
      mine.zaps.remove()
    ]
    expect(wrong).toBeDefined()
  })
})
