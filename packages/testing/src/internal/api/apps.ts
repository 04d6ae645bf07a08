/** Apps and their categories. */
import * as Result from "effect/Result"
import type { Handler } from "./call.ts"
import { ok } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Paging from "./paging.ts"
import * as Problem from "./problem.ts"

const hasText = (text: string, part: string | undefined) =>
  part === undefined || text.toLowerCase().includes(part.toLowerCase())

const v1App = (app: Catalog.App) => ({
  uuid: app.uuid,
  title: app.title,
  slug: app.slug,
  description: Catalog.description(app),
  image: Catalog.image(app),
  url: `https://api.zapier.com/v1/embed/your-app/integrations/${app.slug}`,
  links: { "mutual:zap_templates": `https://api.zapier.com/v1/zap-templates?apps=${app.slug}` },
  categories: [{ slug: app.category }],
  images: Catalog.images(app),
  app_latest: app.api.replace(/@.*/, "@latest")
})

export const listV1: Handler = (call) => {
  const category = call.query.get("category")
  const search = call.query.get("title_search")
  const start = call.query.get("title_starts_with")?.toLowerCase() ?? ""
  const found = Catalog.apps.filter(
    (app) =>
      (category === undefined || app.category === category) &&
      hasText(app.title, search) &&
      app.title.toLowerCase().startsWith(start)
  )
  return Paging.byNumber(call, found.map(v1App))
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

export const listCategories: Handler = (call) => Paging.v1(call, categories)

/** An app as v2 shows it. Only a user's token tells where the user would connect the app. */
const v2App = (app: Catalog.App, isForUser: boolean) => ({
  id: app.uuid,
  type: "app",
  image: Catalog.image(app),
  links: isForUser
    ? { connect_new_authentication: `https://zapier.com/engine/auth/start/${app.api}` }
    : { connect_new_authentication: null },
  action_types: ["READ", "WRITE", "SEARCH"],
  title: app.title,
  images: Catalog.images(app),
  hex_color: app.color,
  categories: [{ slug: app.category }],
  description: Catalog.description(app)
})

export const listV2: Handler = (call) =>
  Result.gen(function* () {
    const category = call.query.get("category")
    const ids = call.query.get("ids")?.split(",")
    if (category !== undefined && ids !== undefined) {
      return yield* Result.fail(Problem.malformed("ids cannot be combined with category.", { parameter: "ids" }))
    }
    const found = Catalog.apps.filter(
      (app) =>
        (category === undefined || app.category === category) &&
        (ids === undefined || ids.includes(app.uuid)) &&
        hasText(app.title, call.query.get("query"))
    )
    const { count, items, limit, next, offset, previous } = yield* Paging.slice(call, found)
    // Here, and only here, the link backwards has its whole name.
    return yield* ok({
      data: items.map((app) => v2App(app, call.user !== undefined)),
      meta: { count, limit, offset },
      links: { next, previous }
    })
  })

export const listWhitelabel: Handler = (call) => {
  const category = call.query.get("category")
  const found = Catalog.apps.filter(
    (app) => (category === undefined || app.category === category) && hasText(app.title, call.query.get("search"))
  )
  const shown = found.map((app) => ({
    type: "app",
    id: app.uuid,
    title: app.title,
    image: Catalog.image(app),
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
