/** Apps and their categories. */
import * as Result from "effect/Result"
import type { FakeRequest } from "../../FakeHttp.ts"
import * as Links from "../links.ts"
import { type Handler, malformed, ok } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Paging from "./paging.ts"

// Apps of a category, if one is given, whose titles contain the text.
const search = (category: string | undefined, text = "") =>
  Catalog.apps.filter(
    (app) => (category ?? app.category) === app.category && app.title.toLowerCase().includes(text.toLowerCase())
  )

const v1App = (app: Catalog.App, request: FakeRequest) => ({
  ...Catalog.face(app),
  uuid: app.uuid,
  slug: app.slug,
  url: `https://api.zapier.com/v1/embed/your-app/integrations/${app.slug}`,
  links: { "mutual:zap_templates": Links.to(request, `/v1/zap-templates?apps=${app.slug}`) },
  categories: [{ slug: app.category }],
  app_latest: app.api.replace(/@.*/, "@latest")
})

export const listV1: Handler<"apps.listV1"> = (call) => {
  const { category, title_search: text, title_starts_with } = call.query
  const start = title_starts_with?.toLowerCase() ?? ""
  const found = search(category, text).filter(({ title }) => title.toLowerCase().startsWith(start))
  return Paging.byNumber(
    call,
    found.map((app) => v1App(app, call.request))
  )
}

const categories = [...new Set(Catalog.apps.map(({ category }) => category))].map((slug, index) => ({
  id: index + 1,
  title: slug.replace(/-/g, " ").replace(/\b./g, (letter) => letter.toUpperCase()),
  slug,
  description: `Apps for ${slug.replace(/-/g, " ")}.`,
  url: `https://zapier.com/api/v4/app-directory/categories/${slug}/`,
  type_of: "curated",
  featured_entry_slug: null,
  role: "child"
}))

export const listCategories: Handler<"categories.list"> = (call) => Paging.v1(call, categories)

/** An app in v2. Only a user's token gets the link to connect the app. */
const v2App = (app: Catalog.App, isForUser: boolean) => ({
  ...Catalog.face(app),
  id: app.uuid,
  type: "app",
  links: { connect_new_authentication: isForUser ? `https://zapier.com/engine/auth/start/${app.api}` : null },
  action_types: ["READ", "WRITE", "SEARCH"],
  hex_color: app.color,
  categories: [{ slug: app.category }]
})

export const listV2: Handler<"apps.list"> = function* (call) {
  const { category, ids, query: text } = call.query
  if (category !== undefined && ids !== undefined) {
    return yield* Result.fail(malformed("ids cannot be combined with category.", { parameter: "ids" }))
  }
  const found = search(category, text).filter(({ uuid }) => ids === undefined || ids.includes(uuid))
  const { count, items, limit, next, offset, previous } = yield* Paging.slice(call, found)
  // Only here the backward link is named in full.
  return ok({
    data: items.map((app) => v2App(app, call.user !== undefined)),
    meta: { count, limit, offset },
    links: { next, previous }
  })
}

export const listWhitelabel: Handler<"apps.listWhitelabel"> = (call) => {
  const shown = search(call.query.category, call.query.search).map((app) => ({
    type: "app",
    id: app.uuid,
    title: app.title,
    image: Catalog.face(app).image,
    is_oauth: true,
    has_fields: false,
    has_byoc: false,
    links: {
      mcp_authorize_url: `https://mcp.zapier.com/authorize/${app.slug}`,
      mcp_server_url: `https://mcp.zapier.com/servers/${app.slug}`
    }
  }))
  return Paging.v2(call, shown)
}
