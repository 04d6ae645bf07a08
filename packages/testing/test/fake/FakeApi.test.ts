import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as FakeHttp from "../../src/fake/FakeHttp.ts"
import * as Documented from "../utils/documented.ts"
import * as Flow from "../utils/flow.ts"

const second = 1_000
const day = 24 * 3_600 * second

const everything =
  "profile zap zap:write zap:update zap:delete zap:runs action:run connection:read connection:write promotions:read promotions:write"

const setup = () => {
  const fake = Flow.make({ settings: { onlyPartnersDeleteZaps: false } })
  fake.now = Date.UTC(2026, 10, 25, 12)
  const token = fake.connect({ scope: everything }).access_token
  const clientId = `client_id=${fake.app.clientId}`
  return {
    fake,
    token,
    clientId,
    get: (path: string) => fake.call(200, "GET", path, token),
    post: (status: number, path: string, body?: unknown) => fake.call(status, "POST", path, token, body)
  }
}

type Fake = ReturnType<typeof setup>

const appNamed = ({ get }: Fake, title: string): string => get(`/v2/apps?query=${encodeURIComponent(title)}`).data[0].id

const actionOf = (fake: Fake, title: string, type: string): string =>
  fake.get(`/v2/actions?app=${appNamed(fake, title)}&action_type=${type}`).data[0].id

const authenticationOf = (fake: Fake, title: string): string =>
  fake.get(`/v2/authentications?app=${appNamed(fake, title)}`).data[0].id

const stepsOf = (fake: Fake) => [
  {
    action: actionOf(fake, "Typeform", "READ"),
    authentication: authenticationOf(fake, "Typeform"),
    inputs: { workspace: "w" }
  },
  {
    action: actionOf(fake, "Slack", "WRITE"),
    authentication: authenticationOf(fake, "Slack"),
    inputs: { workspace: "w", title: "t" },
    alias: "told"
  }
]

// Follows the links of a list to its end, and gives all entries and how many pages there were.
const follow = (fake: Fake, first: string, read: (page: never) => readonly [ReadonlyArray<unknown>, string | null]) => {
  const entries: Array<unknown> = []
  let pages = 0
  for (let next: string | null = first; next !== null; pages++) {
    const [items, link] = read(fake.get(next) as never)
    entries.push(...items)
    next = link === null ? null : `${link.replace("https://api.zapier.com", "")}&${fake.clientId}`
  }
  return { entries, pages }
}

const refusalOf = (fake: Fake, method: string, path: string, body?: unknown) => {
  const { errors } = fake.fake.call(400, method, path, fake.token, body)
  Schema.decodeUnknownSync(Documented.Error)(errors[0])
  return errors[0].source
}

describe("lists", () => {
  it.each([
    ["/v1/categories", Documented.categories],
    ["/v1/zaps", Documented.v1Zaps],
    ["/v1/profiles/me", Documented.profile],
    ["/v2/apps", Documented.v2Apps],
    ["/v2/whitelabel/apps", Documented.whitelabelApps],
    ["/v2/zaps", Documented.v2Zaps],
    ["/v2/zap-runs", Documented.zapRuns]
  ] as const)("have the documented shape: %s", (path, schema) => {
    const answer = setup().get(path)
    assert.doesNotThrow(() => Schema.decodeUnknownSync<Schema.ConstraintDecoder<unknown>>(schema)(answer))
  })

  it("have the documented shapes with the client id alone", () => {
    const { clientId, fake } = setup()
    const get = (path: string) => fake.call(200, "GET", `${path}?${clientId}`)
    Schema.decodeUnknownSync(Documented.v1Apps)(get("/v1/apps"))
    Schema.decodeUnknownSync(Documented.templates)(get("/v1/zap-templates"))
    Schema.decodeUnknownSync(Documented.v2Apps)(get("/v2/apps"))
    assert.isNull(get("/v2/apps").data[0].links.connect_new_authentication)
  })

  it("of an app have the documented shapes, and require the app", () => {
    const fake = setup()
    const app = appNamed(fake, "Slack")
    const actions = fake.get(`/v2/actions?app=${app}`)
    Schema.decodeUnknownSync(Documented.actions)(actions)
    assert.lengthOf(actions.data, 3)
    Schema.decodeUnknownSync(Documented.authentications)(fake.get(`/v2/authentications?app=${app}`))
    for (const path of ["/v2/actions", "/v2/actions?app=x", "/v2/authentications"]) {
      assert.deepStrictEqual(refusalOf(fake, "GET", path), { parameter: "app" })
    }
    assert.deepStrictEqual(refusalOf(fake, "GET", `/v2/actions?app=${app}&action_type=read`), {
      parameter: "action_type"
    })
  })

  it("lead from page to page, to every entry once", () => {
    const fake = setup()
    const lists = [
      follow(fake, `/v1/apps?per_page=5&${fake.clientId}`, ({ next_url, objects }) => [objects, next_url]),
      follow(fake, "/v1/categories?limit=5", ({ next, objects }) => [objects, next]),
      follow(fake, "/v2/apps?limit=5", ({ data, links: { next } }) => [data, next]),
      follow(fake, "/v2/whitelabel/apps?limit=5", ({ data, links: { next } }) => [data, next])
    ]
    for (const { entries, pages } of lists) {
      assert.strictEqual(pages, 3)
      assert.strictEqual(new Set(entries.map((entry) => JSON.stringify(entry))).size, 12)
    }
  })

  it("keep their filters in the links to other pages, and lead back", () => {
    const { get } = setup()
    const { links } = get("/v2/zap-runs?statuses=success&limit=2&offset=2")
    assert.include(links.next, "statuses=success")
    assert.deepStrictEqual(get(links.prev.replace("https://api.zapier.com", "")).meta.offset, 0)
  })

  it("have the documented numbers of entries if none is asked for", () => {
    const { clientId, fake, get } = setup()
    assert.lengthOf(fake.call(200, "GET", `/v1/zap-templates?${clientId}`), 5)
    assert.lengthOf(get("/v1/categories").objects, 10)
    assert.deepInclude(get("/v2/apps").meta, { count: 12, limit: 10, offset: 0 })
  })

  it.each([
    ["/v1/zaps?limit=101", "limit"],
    ["/v1/zap-templates?limit=0", "limit"],
    ["/v1/apps?per_page=many", "per_page"],
    ["/v1/apps?page=0", "page"],
    ["/v1/categories?offset=-1", "offset"],
    ["/v2/zaps?limit=0", "limit"],
    ["/v2/zaps?offset=1.5", "offset"],
    ["/v2/zap-runs?statuses=success,unheard", "statuses"],
    ["/v2/zap-runs?from_date=yesterday", "from_date"],
    ["/v2/zap-runs?zap_id=x", "zap_id"],
    [`/v2/zap-runs?search=${"x".repeat(151)}`, "search"],
    ["/v2/apps?ids=x&category=crm", "ids"]
  ])("reject values out of bounds: %s", (path, parameter) => {
    const fake = setup()
    const separator = path.includes("?") ? "&" : "?"
    assert.deepStrictEqual(refusalOf(fake, "GET", `${path}${separator}${fake.clientId}`), { parameter })
  })

  it("are filtered as asked", () => {
    const fake = setup()
    const titles = (path: string) => {
      const { data, objects } = fake.get(path)
      return (objects ?? data).map(({ title }: { title: string }) => title)
    }
    const { clientId } = fake
    assert.deepStrictEqual(titles(`/v1/apps?title_search=google&${clientId}`), ["Google Calendar", "Google Sheets"])
    assert.deepStrictEqual(titles(`/v1/apps?title_starts_with=t&${clientId}`), ["Trello", "Typeform"])
    assert.deepStrictEqual(titles(`/v1/apps?category=crm&${clientId}`), ["HubSpot"])
    assert.deepStrictEqual(titles(`/v2/apps?ids=${appNamed(fake, "Notion")}`), ["Notion"])
    assert.deepStrictEqual(titles("/v2/whitelabel/apps?search=stripe"), ["Stripe"])
    assert.lengthOf(titles("/v1/zaps?params__workspace=workspace-1"), 3)
    assert.lengthOf(titles("/v1/zaps?params__workspace=elsewhere"), 0)
    assert.lengthOf(titles("/v2/zaps?inputs[workspace]=elsewhere,workspace-1"), 3)
    assert.lengthOf(titles("/v2/zaps?inputs[workspace]=elsewhere"), 0)
    const templates = fake.get(`/v1/zap-templates?apps=slack,trello&${clientId}`)
    assert.deepStrictEqual(
      templates.map(({ steps }: { steps: ReadonlyArray<{ slug: string }> }) => steps.map(({ slug }) => slug)),
      [["trello", "slack"]]
    )
  })
})

describe("Zaps", () => {
  it("that are written are there to be read, in v1 as in v2", () => {
    const fake = setup()
    const made = fake.post(201, "/v2/zaps", { data: { title: "Mine", steps: stepsOf(fake) } })
    Schema.decodeUnknownSync(Documented.v2Zap)(made)
    assert.deepInclude(made, { title: "Mine", is_enabled: true, last_successful_run_date: null })
    assert.strictEqual(made.updated_at, "2026-11-25T12:00:00.000Z")
    assert.deepStrictEqual(fake.get("/v2/zaps").data.at(-1), made)
    assert.deepInclude(fake.get("/v1/zaps").objects.at(-1), { title: "Mine", state: "on", url: made.links.html_editor })
  })

  it("get new steps, which turn them on, or a new title, which does not", () => {
    const fake = setup()
    const { id } = fake.get("/v2/zaps").data.at(-1)
    const edit = (data: unknown) => fake.fake.call(200, "PATCH", `/v2/zaps/${id}`, fake.token, { data })
    assert.deepInclude(edit({ title: "Other" }), { title: "Other", is_enabled: false })
    const steps = stepsOf(fake)
    const edited = edit({ steps })
    assert.deepInclude(edited, { title: "Other", is_enabled: true })
    assert.strictEqual(edited.steps[1].action, steps[1]?.action)
    assert.deepStrictEqual(fake.get("/v2/zaps").data.at(-1), edited)
  })

  it("are turned on, and removed for good", () => {
    const fake = setup()
    const { id } = fake.get("/v2/zaps").data.at(-1)
    assert.isTrue(fake.post(200, `/v2/zaps/${id}/enable`).is_enabled)
    assert.isTrue(fake.get("/v2/zaps").data.at(-1).is_enabled)
    assert.isUndefined(fake.fake.call(204, "DELETE", `/v2/zaps/${id}`, fake.token))
    assert.strictEqual(fake.get("/v2/zaps").meta.count, 2)
    for (const [method, path] of [
      ["DELETE", `/v2/zaps/${id}`],
      ["PATCH", `/v2/zaps/${id}`],
      ["POST", `/v2/zaps/${id}/enable`]
    ] as const) {
      assert.strictEqual(fake.fake.api(method, path, fake.token, { data: {} }).status, 404)
    }
  })

  it("belong to one user only", () => {
    const fake = Flow.make({
      users: [
        { email: "a@example.com", firstName: "A", lastName: "" },
        { email: "b@example.com", firstName: "B", lastName: "" }
      ],
      settings: { onlyPartnersDeleteZaps: false }
    })
    const tokenOf = (user: string) => {
      const query = fake.authorizeQuery({ scope: "zap zap:delete" })
      const answer = fake.send(FakeHttp.form("POST", `/v2/authorize?${query}`, { decision: "allow", user }))
      return fake.exchange(new URL(answer.headers["location"] ?? "").searchParams.get("code") ?? "").json.access_token
    }
    const [a, b] = [tokenOf("a@example.com"), tokenOf("b@example.com")]
    const { id } = fake.call(200, "GET", "/v2/zaps", a).data[0]
    assert.strictEqual(fake.api("DELETE", `/v2/zaps/${id}`, b).status, 404)
    fake.call(204, "DELETE", `/v2/zaps/${id}`, a)
    assert.strictEqual(fake.call(200, "GET", "/v2/zaps", b).meta.count, 3)
  })

  it("are deleted only by users of White Label partners", () => {
    const fake = Flow.make({})
    const token = fake.connect({ scope: "zap zap:delete" }).access_token
    const { id } = fake.call(200, "GET", "/v2/zaps", token).data[0]
    assert.strictEqual(fake.api("DELETE", `/v2/zaps/${id}`, token).status, 403)
  })

  it("expand references on request", () => {
    const fake = setup()
    const [plain] = fake.get("/v2/zaps").data
    const [expanded] = fake.get("/v2/zaps?expand=steps.action,steps.authentication").data
    Schema.decodeUnknownSync(Documented.Action)(expanded.steps[0].action)
    Schema.decodeUnknownSync(Documented.Authentication)(expanded.steps[0].authentication)
    assert.strictEqual(expanded.steps[0].action.id, plain.steps[0].action)
    assert.strictEqual(expanded.steps[0].authentication.id, plain.steps[0].authentication)
  })

  it("are not made from invalid steps", () => {
    const fake = setup()
    const [read, write] = stepsOf(fake)
    const create = (steps: unknown, title: unknown = "Mine") => ({ data: { title, steps } })
    const cases: ReadonlyArray<readonly [unknown, string]> = [
      [{}, "/data"],
      [create([read, write], 1), "/data/title"],
      [create([read]), "/data/steps"],
      [create([write, read]), "/data/steps/0/action"],
      [create([read, { ...write, action: "x" }]), "/data/steps/1/action"],
      [create([read, { ...write, alias: "Not so" }]), "/data/steps/1/alias"],
      [create([read, { ...write, authentication: read?.authentication }]), "/data/steps/1/authentication"],
      [create([read, { ...write, authentication: null }]), "/data/steps/1/authentication"]
    ]
    for (const [body, pointer] of cases) {
      assert.deepStrictEqual(refusalOf(fake, "POST", "/v2/zaps", body), { pointer })
    }
    assert.strictEqual(fake.get("/v2/zaps").meta.count, 3)
  })

  it("have run once a day when they are on, and show the latest success", () => {
    const fake = setup()
    const { data, meta } = fake.get("/v2/zap-runs?limit=100")
    assert.isAbove(meta.count, 40)
    const latest = data.find(({ status }: { status: string }) => status === "success")
    const zap = fake.get("/v1/zaps").objects.findIndex(({ id }: { id: number }) => id === latest.zap_id)
    assert.strictEqual(fake.get("/v2/zaps").data[zap].last_successful_run_date, latest.end_time)
    assert.isNull(fake.get("/v2/zaps").data[2].last_successful_run_date)
    const of = (query: string) => fake.get(`/v2/zap-runs?${query}`).meta.count
    assert.strictEqual(of(`zap_id=${latest.zap_id}`) * 2, meta.count)
    assert.strictEqual(of("search=trello") * 2, meta.count)
    assert.strictEqual(of("statuses=error") + of("statuses=filtered,success"), meta.count)
    const from = DateTime.formatIso(DateTime.makeUnsafe(fake.fake.now - 7 * day))
    assert.strictEqual(of(`from_date=${from}`) + of(`from_date=2020-01-01&to_date=${from}`), of("from_date=2020-01-01"))
  })
})

describe("bodies", () => {
  it.each(["POST /v2/zaps", "POST /v2/authentications", "POST /v2/action-runs", "POST /v2/promotions"])(
    "of %s that are no JSON are refused in the documented shape",
    (endpoint) => {
      const { fake, token } = setup()
      const [method = "", path = ""] = endpoint.split(" ")
      const bodies: ReadonlyArray<readonly [string, string | Uint8Array]> = [
        ["application/json", "{"],
        ["application/json", ""],
        ["application/json", new Uint8Array([0x22, 0xff, 0x22])],
        ["text/plain", "{}"]
      ]
      for (const [type, body] of bodies) {
        const headers = { authorization: `Bearer ${token}`, "content-type": type }
        const answer = fake.send(FakeHttp.request(method, path, { headers, body }))
        assert.strictEqual(answer.status, 400)
        assert.deepInclude(JSON.parse(answer.body).errors[0], { status: 400, code: "parse_error", title: "ParseError" })
      }
    }
  )
})

describe("actions", () => {
  const asked = (fake: Fake) => ({ data: { authentication: authenticationOf(fake, "Trello"), inputs: {} } })

  it("tell their inputs, the choices for one, and their outputs in the documented shapes", () => {
    const fake = setup()
    const path = `/v2/actions/${actionOf(fake, "Trello", "WRITE")}`
    const inputs = fake.post(200, `${path}/inputs`, asked(fake))
    Schema.decodeUnknownSync(Documented.inputs)(inputs)
    const select = inputs.data.find(({ format }: { format: string }) => format === "SELECT")
    const choices = fake.post(200, `${path}/inputs/${select.id}/choices?page=3`, asked(fake))
    Schema.decodeUnknownSync(Documented.choices)(choices)
    assert.lengthOf(choices.data, 5)
    assert.deepStrictEqual([choices.links.next, choices.meta], [null, { page: 3 }])
    assert.include(fake.post(200, `${path}/inputs/${select.id}/choices`, asked(fake)).links.next, "page=2")
    Schema.decodeUnknownSync(Documented.outputs)(fake.post(200, `${path}/outputs`, asked(fake)))
  })

  it("are tried out, page by page", () => {
    const fake = setup()
    const path = `/v2/actions/${actionOf(fake, "Trello", "READ")}/test`
    const { data } = asked(fake)
    const answer = fake.post(200, path, { data: { ...data, limit: 2, offset: 1 } })
    assert.deepStrictEqual(answer.meta, { count: 3, limit: 2, offset: 1 })
    assert.lengthOf(answer.data, 2)
    assert.deepStrictEqual(refusalOf(fake, "POST", path, { data: { ...data, limit: 0 } }), { pointer: "/data/limit" })
  })

  it("want an authentication of the same app", () => {
    const fake = setup()
    const path = `/v2/actions/${actionOf(fake, "Trello", "READ")}/inputs`
    for (const authentication of [null, "x", authenticationOf(fake, "Slack")]) {
      const source = refusalOf(fake, "POST", path, { data: { authentication, inputs: {} } })
      assert.deepStrictEqual(source, { pointer: "/data/authentication" })
    }
  })

  it("that do not exist are not found", () => {
    const fake = setup()
    fake.post(404, "/v2/actions/unknown/inputs", asked(fake))
    fake.post(404, `/v2/actions/${actionOf(fake, "Trello", "READ")}/inputs/unknown/choices`, asked(fake))
  })

  it("run for a second, and then show the result", () => {
    const fake = setup()
    const run = (title: string, inputs: unknown, authentication: string | null) =>
      fake.post(200, "/v2/action-runs", { data: { action: actionOf(fake, title, "WRITE"), authentication, inputs } })
        .data.id
    const trello = authenticationOf(fake, "Trello")
    const runs = [
      run("Trello", { workspace: "w", title: "t" }, trello),
      run("Trello", { workspace: "w" }, trello),
      run("Trello", {}, null)
    ]
    const read = (id: string) => fake.get(`/v2/action-runs/${id}`).data
    assert.deepStrictEqual(
      runs.map((id) => read(id).status),
      ["waiting", "waiting", "waiting"]
    )
    fake.fake.now += second
    assert.deepStrictEqual(
      runs.map((id) => read(id).status),
      ["success", "error", "error"]
    )
    assert.lengthOf(read(runs[0]).results, 1)
    assert.deepStrictEqual(
      runs.slice(1).map((id) => read(id).errors[0].code),
      ["user", "authentication"]
    )
    fake.fake.call(404, "GET", "/v2/action-runs/unknown", fake.token)
  })
})

describe("authentications", () => {
  it("that are added are there to be read and to be used", () => {
    const fake = setup()
    const app = appNamed(fake, "Trello")
    const data = { title: "Second", app, authentication_fields: { secret: "x" } }
    const made = fake.post(201, "/v2/authentications", { data })
    Schema.decodeUnknownSync(Documented.authentications)(made)
    assert.deepStrictEqual(fake.get(`/v2/authentications?app=${app}`).data[1], made.data[0])
    const body = { data: { authentication: made.data[0].id, inputs: {} } }
    fake.post(200, `/v2/actions/${actionOf(fake, "Trello", "READ")}/inputs`, body)
  })

  it("are removed, those from the start too, and then cannot be used", () => {
    const fake = setup()
    const app = appNamed(fake, "Trello")
    const id = authenticationOf(fake, "Trello")
    const made = fake.post(201, "/v2/authentications", { data: { title: "Second", app, authentication_fields: {} } })
    assert.isUndefined(fake.fake.call(204, "DELETE", `/v2/authentications/${id}`, fake.token))
    assert.deepStrictEqual(fake.get(`/v2/authentications?app=${app}`).data, made.data)
    fake.fake.call(404, "DELETE", `/v2/authentications/${id}`, fake.token)
    const body = { data: { authentication: id, inputs: {} } }
    fake.post(400, `/v2/actions/${actionOf(fake, "Trello", "READ")}/inputs`, body)
    fake.fake.call(401, "DELETE", `/v2/authentications/${id}`)
    assert.strictEqual(authenticationOf(fake, "Slack"), authenticationOf(setup(), "Slack"))
  })

  it("are refused for an unknown app, and with a title that is too long", () => {
    const fake = setup()
    const data = { title: "x", app: appNamed(fake, "Trello"), authentication_fields: {} }
    const refusal = (changes: object) =>
      refusalOf(fake, "POST", "/v2/authentications", { data: { ...data, ...changes } })
    assert.deepStrictEqual(refusal({ app: "x" }), { pointer: "/data/app" })
    assert.deepStrictEqual(refusal({ title: "x".repeat(256) }), { pointer: "/data/title" })
    assert.deepStrictEqual(refusal({ authentication_fields: null }), { pointer: "/data/authentication_fields" })
  })
})

describe("a user's data", () => {
  const fake = Flow.make({
    users: [
      { email: "ada@example.com", firstName: "Ada", lastName: "Example" },
      { email: "bob@example.com", firstName: "", lastName: "" }
    ]
  })
  fake.now = Date.UTC(2026, 10, 25, 12)
  const tokenOf = (user: string) => {
    const query = fake.authorizeQuery({ scope: everything })
    const answer = fake.send(FakeHttp.form("POST", `/v2/authorize?${query}`, { decision: "allow", user }))
    return fake.exchange(new URL(answer.headers["location"] ?? "").searchParams.get("code") ?? "").json.access_token
  }
  const [ada, bob] = [tokenOf("ada@example.com"), tokenOf("bob@example.com")]
  const actions = (type: string) =>
    fake.call(200, "GET", `/v2/actions?app=${appId}&action_type=${type}`, ada).data[0].id as string
  const { id: appId } = fake.call(200, "GET", "/v2/apps?query=Slack", ada).data[0]
  const ask = (token: string) => ({
    get: (path: string) => fake.call(200, "GET", path, token),
    act: (path: string, body: object) =>
      fake.call(200, "POST", path, token, {
        data: { authentication: authenticationOf(token), inputs: { workspace: "w", title: "t" }, ...body }
      })
  })
  const authenticationOf = (token: string): string =>
    fake.call(200, "GET", `/v2/authentications?app=${appId}`, token).data[0].id

  it.each<readonly [string, (of: ReturnType<typeof ask>) => unknown]>([
    ["profile", ({ get }) => get("/v1/profiles/me")],
    ["Zaps of v1", ({ get }) => get("/v1/zaps")],
    ["Zaps", ({ get }) => get("/v2/zaps")],
    ["runs", ({ get }) => get("/v2/zap-runs")],
    ["authentications", ({ get }) => get(`/v2/authentications?app=${appId}`)],
    ["choices", ({ act }) => act(`/v2/actions/${actions("WRITE")}/inputs/workspace/choices`, {})],
    ["samples", ({ act }) => act(`/v2/actions/${actions("READ")}/test`, {})],
    ["outputs", ({ act }) => act(`/v2/actions/${actions("READ")}/outputs`, {})],
    [
      "runs of actions",
      ({ act, get }) => {
        const { id } = act("/v2/action-runs", { action: actions("WRITE") }).data
        fake.now += second
        return get(`/v2/action-runs/${id}`)
      }
    ]
  ])("names the user, or else the address: %s", (_, read) => {
    const [ofAda, ofBob] = [JSON.stringify(read(ask(ada))), JSON.stringify(read(ask(bob)))]
    assert.match(ofAda, /Ada Example|ada@example\.com/)
    assert.notMatch(ofAda, /bob@/)
    assert.match(ofBob, /bob@example\.com/)
    assert.notMatch(ofBob, /Ada|ada@/)
  })

  it("has a number of the user in the id of an enrollment, which no other user may read", () => {
    const { enrollment_id } = fake.call(201, "POST", "/v2/promotions", ada, { promotion_id: "spring" })
    assert.match(enrollment_id, /^spring:1001-/)
    fake.call(404, "GET", `/v2/promotions/${enrollment_id}`, bob)
  })
})

describe("promotions", () => {
  it("enroll on behalf of a user, and unenroll as the app", () => {
    const { fake, token } = setup()
    const app = fake.appToken("promotions:write").json.access_token
    const { enrollment_id } = fake.call(201, "POST", "/v2/promotions", token, { promotion_id: "spring" })
    assert.match(enrollment_id, /^spring:/)
    const path = `/v2/promotions/${enrollment_id}`
    const enrollment = fake.call(200, "GET", path, token)
    assert.deepInclude(enrollment, { promotion_id: "spring", status: "enrolled" })
    assert.strictEqual(enrollment.enrollment_date, "2026-11-25T12:00:00.000Z")
    assert.deepStrictEqual(fake.api("DELETE", path, app), { status: 204, headers: {}, body: "" })
    fake.call(404, "GET", path, token)
    fake.call(404, "DELETE", path, app)
  })

  it("are not another app's to end", () => {
    const { fake, token } = setup()
    const { enrollment_id } = fake.call(201, "POST", "/v2/promotions", token, { promotion_id: "spring" })
    const other = Flow.make({ seed: "other" })
    fake.state = { ...fake.state, apps: other.state.apps }
    const authorization = Flow.basic(other.app.clientId, other.app.clientSecret)
    const { access_token } = fake.token({ grant_type: "client_credentials" }, { authorization }).json
    fake.call(404, "DELETE", `/v2/promotions/${enrollment_id}`, access_token)
  })
})

describe("guesses", () => {
  it("take the apps that a sentence names, the first to begin with", () => {
    const { clientId, fake } = setup()
    const description = "Save each Typeform entry to Google Sheets, and tell Slack"
    const guess = fake.call(200, "POST", `/v2/guess?${clientId}`, undefined, { description })
    Schema.decodeUnknownSync(Documented.guess)(guess)
    assert.deepStrictEqual(
      guess.steps.map(({ step }: { step: { app: string } }) => step.app),
      ["Typeform", "Google Sheets", "Slack"]
    )
    assert.include(guess.prefilled_url, "steps%5B0%5D%5Btype%5D=read")
  })

  it("want a workflow, and a client id, as all that takes one", () => {
    const { clientId, fake, token } = setup()
    const { messages } = fake.call(400, "POST", `/v2/guess?${clientId}`, undefined, { description: "Hello" })
    assert.isString(messages[0].detail)
    for (const path of ["/v2/guess", "/v2/guess?client_id=unknown"]) {
      for (const credential of [undefined, token]) {
        const { errors } = fake.call(401, "POST", path, credential, { description: "Typeform to Slack" })
        Schema.decodeUnknownSync(Documented.Error)(errors[0])
        assert.strictEqual(errors[0].code, "not_authenticated")
      }
    }
  })
})
