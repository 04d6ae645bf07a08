import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Endpoint from "../../src/zapier/Endpoint.ts"
import type * as Scopes from "../../src/oauth/Scopes.ts"

// What Zapier's reference says, written out once more.
const documented: ReadonlyArray<[method: string, path: string, modes: string, scopes: string]> = [
  ["GET", "/v1/apps", "ClientId", ""],
  ["GET", "/v1/zap-templates", "ClientId", ""],
  ["GET", "/v1/categories", "", ""],
  ["GET", "/v1/profiles/me", "User", "profile"],
  ["GET", "/v1/zaps", "User", "zap"],
  ["GET", "/v2/apps", "User ClientId", "zap"],
  ["GET", "/v2/actions", "User ClientId", "zap"],
  ["GET", "/v2/whitelabel/apps", "", ""],
  ["POST", "/v2/actions/{action_id}/inputs", "User", "zap:write"],
  ["POST", "/v2/actions/{action_id}/inputs/{input_id}/choices", "User", "zap"],
  ["POST", "/v2/actions/{action_id}/outputs", "User", "zap:write"],
  ["POST", "/v2/actions/{action_id}/test", "User", "zap:write"],
  ["POST", "/v2/action-runs", "User", "action:run"],
  ["GET", "/v2/action-runs/{id}", "User", "action:run"],
  ["GET", "/v2/authentications", "User", "connection:read authentication"],
  ["POST", "/v2/authentications", "User", "connection:write authentication:write"],
  ["DELETE", "/v2/authentications/{authentication_id}", "User", ""],
  ["GET", "/v2/zaps", "User", "zap zap:all zap:account:all"],
  ["POST", "/v2/zaps", "User", "zap:write"],
  ["PATCH", "/v2/zaps/{id}", "User", "zap:update"],
  ["DELETE", "/v2/zaps/{id}", "User", "zap:delete"],
  ["POST", "/v2/zaps/{id}/enable", "User", ""],
  ["GET", "/v2/zap-runs", "User", "zap:runs"],
  ["POST", "/v2/promotions", "User", "promotions:write"],
  ["GET", "/v2/promotions/{enrollment_id}", "User", "promotions:read"],
  ["DELETE", "/v2/promotions/{enrollment_id}", "App", "promotions:write"],
  ["POST", "/v2/guess", "ClientId", ""],
  ["GET", "/v2/authorize", "ClientId", ""]
]

const runs = { arbitrary: { runs: 500 } }
const words = (text: string) => text.split(" ").filter((word) => word !== "")

const AnyName = Schema.Literals(Endpoint.names)

// Any text that can be a path parameter: not empty, and no half of a surrogate pair, which no URL can hold.
const values = Arbitrary.map(Arbitrary.schema(Schema.NonEmptyString), (text) =>
  text.replace(/\p{Surrogate}/gu, "\ufffd")
)
const segments = Arbitrary.map(values, encodeURIComponent)

describe("Endpoint.table", () => {
  it("matches the reference", () => {
    const stated = Object.entries(Endpoint.table).map(([name, { modes, scopes }]) => [name, modes, scopes])
    expect(stated).toEqual(
      documented.map(([method, path, modes, scopes]) => [`${method} ${path}`, words(modes), words(scopes)])
    )
  })

  it("has its rows by name", () => {
    expect(Endpoint.names).toEqual(documented.map(([method, path]) => `${method} ${path}`))
    expect(Endpoint.names.map(Endpoint.parts)).toEqual(documented.map(([method, path]) => ({ method, path })))
    expect(Endpoint.names.filter((name) => Endpoint.requirement(name).whiteLabelOnly)).toEqual(["DELETE /v2/zaps/{id}"])
    expect(Endpoint.requirement("DELETE /v2/promotions/{enrollment_id}")).toEqual({
      modes: ["App"],
      scopes: ["promotions:write"]
    })
  })
})

describe("Endpoint.match", () => {
  it.each(["/V2/zaps", "//v2//zaps", "/v2/zaps;x=1", "xv2/zaps", "https://evil.example/v2/zaps", ""])(
    "takes a path by its very spelling: not %j",
    (path) => {
      expect(Endpoint.match("GET", path)).toBeUndefined()
    }
  )

  it.prop(
    "finds each endpoint for any path parameters, with and without a trailing slash",
    { name: AnyName, first: segments, second: segments },
    ({ first, name, second }) => {
      const { method, path } = Endpoint.parts(name)
      const filled = path.replace(/\{\w+\}/, () => first).replace(/\{\w+\}/, () => second)
      expect(Endpoint.match(method, filled)).toBe(name)
      expect(Endpoint.match(method, `${filled}/`)).toBe(name)
    },
    runs
  )

  it.each(Endpoint.names)("%s", (name) => {
    const { method, path } = Endpoint.parts(name)
    for (const value of [
      "1",
      "a%2Fb",
      "%7Bid%7D",
      "%25",
      "%F0%9F%98%80",
      "inputs",
      "test",
      "..%2F..",
      "x".repeat(2_000)
    ]) {
      expect(Endpoint.match(method, path.replaceAll(/\{\w+\}/g, value))).toBe(name)
    }
  })

  it.prop(
    "finds nothing for another method",
    {
      name: AnyName,
      method: Schema.Literals(["HEAD", "PUT", "OPTIONS", "TRACE", "get", "", "GETS", "__proto__", "constructor"])
    },
    ({ method, name }) => {
      expect(Endpoint.match(method, Endpoint.parts(name).path)).toBeUndefined()
    }
  )

  it.each([
    ["GET", "/"],
    ["GET", "/v2"],
    ["GET", "/v2/"],
    ["GET", "/v3/zaps"],
    ["GET", "/v2/zap"],
    ["GET", "/v2/zapsx"],
    ["GET", "/v2/zaps/1"],
    ["POST", "/v2/zaps/1"],
    ["PATCH", "/v2/zaps"],
    ["PATCH", "/v2/zaps/"],
    ["PATCH", "/v2/zaps/1/2"],
    ["POST", "/v2/zaps/1/enable/now"],
    ["POST", "/v2/actions/1"],
    ["POST", "/v2/actions/1/inputs/2"],
    ["POST", "/v2/actions/1/inputs/2/choices/3"],
    ["DELETE", "/v2/promotions"],
    ["POST", "/v1/apps"],
    ["GET", "/prefix/v2/zaps"]
  ])("%s %s is not in the table", (method, path) => {
    expect(Endpoint.match(method, path)).toBeUndefined()
  })

  // A second opinion, on paths made of the table's own pieces.
  const pieces = [...new Set(documented.flatMap(([, path]) => words(path.replaceAll(/\/|\{\w+\}/g, " "))))]
  const opinion = (method: string, path: string) =>
    documented.find(
      ([itsMethod, itsPath]) =>
        itsMethod === method && new RegExp(`^${itsPath.replaceAll(/\{\w+\}/g, "[^/]+")}/?$`).test(path)
    )

  it.prop(
    "agrees with the templates read as regular expressions",
    {
      method: Schema.Literals(["GET", "POST", "PATCH", "DELETE", "PUT"]),
      version: Schema.Literals(["/v1", "/v2", "/v3"]),
      rest: Schema.Array(Schema.Literals(pieces)).check(Schema.isMaxLength(5)),
      end: Schema.Literals(["", "/"])
    },
    ({ end, method, rest, version }) => {
      const path = [version, ...rest].join("/") + end
      const expected = opinion(method, path)
      expect(Endpoint.match(method, path)).toBe(expected === undefined ? undefined : `${expected[0]} ${expected[1]}`)
    },
    { arbitrary: { runs: 2_000 } }
  )

  const knownOrNot = (found: Endpoint.Name | undefined) => found === undefined || Endpoint.names.includes(found)

  it.prop(
    "never throws, for any text",
    { method: Schema.String, path: Schema.String },
    ({ method, path }) => {
      expect(Endpoint.match(method, path)).toBeUndefined()
      for (const known of ["GET", "POST", "PATCH", "DELETE"]) {
        for (const prefix of ["", "/", "/v2/zaps/", "/v2/actions/"]) {
          expect(knownOrNot(Endpoint.match(known, prefix + path))).toBe(true)
        }
      }
    },
    runs
  )

  it.each(["/v2/zaps/%", "/v2/zaps/%zz", "/v2/zaps/%E0%A4%A", "/v2/zaps/%FF", "%", "", "//", "/v2/zaps/\0"])(
    "does not throw for %j",
    (path) => {
      expect(knownOrNot(Endpoint.match("PATCH", path))).toBe(true)
    }
  )
})

describe("Endpoint.methodsOf", () => {
  it.each([
    ["/v2/zaps", ["GET", "POST"]],
    ["/v2/zaps/", ["GET", "POST"]],
    ["/v2/zaps/1", ["PATCH", "DELETE"]],
    ["/v2/authentications/1", ["DELETE"]],
    ["/v2/promotions/1", ["GET", "DELETE"]],
    ["/v3/zaps", []]
  ] as const)("%s: %j", (path, methods) => {
    expect(Endpoint.methodsOf(path)).toEqual(methods)
  })

  it.prop(
    "is each method for which there is a match",
    { name: AnyName, value: segments },
    ({ name, value }) => {
      const path = Endpoint.parts(name).path.replaceAll(/\{\w+\}/g, () => value)
      const all = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
      expect(Endpoint.methodsOf(path)).toEqual(all.filter((method) => Endpoint.match(method, path) !== undefined))
    },
    runs
  )
})

describe("Endpoint.isAllowed", () => {
  it("any one of the scopes will do, or a wider one", () => {
    expect(Endpoint.isAllowed("GET /v2/authentications", ["authentication"])).toBe(true)
    expect(Endpoint.isAllowed("GET /v2/authentications", ["connection:read"])).toBe(true)
    expect(Endpoint.isAllowed("GET /v1/zaps", ["zap:account:all"])).toBe(true)
    expect(Endpoint.isAllowed("GET /v2/zaps", ["zap:write"])).toBe(false)
    expect(Endpoint.isAllowed("GET /v2/zaps", [])).toBe(false)
  })

  it("where no scope is stated, none is needed", () => {
    const open = documented.flatMap(([method, path, , scopes]) => (scopes === "" ? [`${method} ${path}`] : []))
    expect(Endpoint.names.filter((name) => Endpoint.isAllowed(name, []))).toEqual(open)
  })
})

describe("Endpoint.leastScopes", () => {
  const all = [...new Set(documented.flatMap(([, , , scopes]) => words(scopes)))]

  // For each endpoint, which of the scopes will do, as bits; 0 where none is needed.
  const bit = (scope: Scopes.Scope) => 1 << all.indexOf(scope)
  const sufficient = new Map(
    Endpoint.names.map((name) => [
      name,
      Endpoint.isAllowed(name, [])
        ? 0
        : all.filter((scope) => Endpoint.isAllowed(name, [scope])).reduce((bits, scope) => bits | bit(scope), 0)
    ])
  )
  const count = (bits: number): number => (bits === 0 ? 0 : 1 + count(bits & (bits - 1)))
  const sets = Array.from({ length: 1 << all.length }, (_, bits) => bits).sort((a, b) => count(a) - count(b))

  const sizeOfSmallest = (names: ReadonlyArray<Endpoint.Name>) => {
    const needed = names.map((name) => sufficient.get(name) ?? 0).filter((bits) => bits !== 0)
    return count(sets.find((set) => needed.every((bits) => (bits & set) !== 0)) ?? 0)
  }

  it.prop(
    "is enough for every endpoint, has nothing to spare, and no smaller set would do",
    { wanted: Schema.Array(AnyName).check(Schema.isMaxLength(28)) },
    ({ wanted }) => {
      const least = Endpoint.leastScopes(wanted)
      expect(wanted.filter((name) => !Endpoint.isAllowed(name, least))).toEqual([])
      for (const scope of least) {
        const rest = least.filter((other) => other !== scope)
        expect(wanted.every((name) => Endpoint.isAllowed(name, rest))).toBe(false)
      }
      expect(least).toHaveLength(sizeOfSmallest(wanted))
      expect(least).toEqual([...least].sort())
    },
    runs
  )

  it.prop(
    "does not depend on order or repetition",
    { wanted: Schema.Array(AnyName) },
    ({ wanted }) => {
      expect(Endpoint.leastScopes([...wanted.toReversed(), ...wanted])).toEqual(Endpoint.leastScopes(wanted))
    },
    runs
  )

  it.each([
    [[], []],
    [["GET /v1/apps"], []],
    [["GET /v2/zaps"], ["zap"]],
    [
      ["GET /v2/zaps", "POST /v2/zaps"],
      ["zap", "zap:write"]
    ],
    [
      ["GET /v2/authentications", "POST /v2/authentications"],
      ["connection:read", "connection:write"]
    ],
    [["DELETE /v2/promotions/{enrollment_id}"], ["promotions:write"]]
  ] satisfies ReadonlyArray<[ReadonlyArray<Endpoint.Name>, ReadonlyArray<string>]>)("%j", (wanted, least) => {
    expect(Endpoint.leastScopes(wanted)).toEqual(least)
  })

  it("of all endpoints is one for each thing that can be done", () => {
    expect(Endpoint.leastScopes(Endpoint.names)).toEqual([
      "action:run",
      "connection:read",
      "connection:write",
      "profile",
      "promotions:read",
      "promotions:write",
      "zap",
      "zap:delete",
      "zap:runs",
      "zap:update",
      "zap:write"
    ])
  })
})

type ParameterOf<N extends Endpoint.Name> = keyof Endpoint.PathParameters<N>

describe("Endpoint: types", () => {
  it("ModeOf", () => {
    expectTypeOf<Endpoint.ModeOf<"GET /v2/zaps">>().toEqualTypeOf<"User">()
    expectTypeOf<Endpoint.ModeOf<"GET /v2/apps">>().toEqualTypeOf<"User" | "ClientId">()
    expectTypeOf<Endpoint.ModeOf<"DELETE /v2/promotions/{enrollment_id}">>().toEqualTypeOf<"App">()
    expectTypeOf<Endpoint.ModeOf<"POST /v2/guess">>().toEqualTypeOf<"ClientId">()
    expectTypeOf<Endpoint.ModeOf<"GET /v1/categories">>().toEqualTypeOf<never>()
  })

  it("PathParameters", () => {
    expectTypeOf<ParameterOf<"GET /v2/zaps">>().toBeNever()
    expectTypeOf<Endpoint.PathParameters<"PATCH /v2/zaps/{id}">>().toEqualTypeOf<{ readonly id: string }>()
    expectTypeOf<Endpoint.PathParameters<"POST /v2/actions/{action_id}/inputs/{input_id}/choices">>().toEqualTypeOf<{
      readonly action_id: string
      readonly input_id: string
    }>()
    // @ts-expect-error a parameter is missing
    const incomplete: Endpoint.PathParameters<"POST /v2/actions/{action_id}/inputs/{input_id}/choices"> = {
      action_id: "1"
    }
    expect(incomplete).toBeDefined()
  })

  it("Reachable", () => {
    expectTypeOf<Endpoint.Reachable<"App">>().toEqualTypeOf<"DELETE /v2/promotions/{enrollment_id}">()
    expectTypeOf<Endpoint.Reachable<"ClientId">>().toEqualTypeOf<
      | "GET /v1/apps"
      | "GET /v1/zap-templates"
      | "GET /v2/apps"
      | "GET /v2/actions"
      | "POST /v2/guess"
      | "GET /v2/authorize"
    >()
    expectTypeOf<"DELETE /v2/promotions/{enrollment_id}">().not.toExtend<Endpoint.Reachable<"User">>()
    expectTypeOf<"GET /v2/apps">().toExtend<Endpoint.Reachable<"User">>()
    // @ts-expect-error the app's own token does not reach a user's Zaps
    const unreachable: Endpoint.Reachable<"App"> = "GET /v2/zaps"
    // @ts-expect-error there is no such endpoint
    const unknown: Endpoint.Name = "GET /v3/zaps"
    expect([unreachable, unknown]).toHaveLength(2)
  })
})
