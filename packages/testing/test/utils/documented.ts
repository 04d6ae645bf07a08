/** The shapes of the API's answers, from Zapier's OpenAPI description 2024.11.0: what each has to have. */
import * as Schema from "effect/Schema"

const { Array, Boolean, Finite, Int, NullOr, String, Struct, Unknown } = Schema

const Timestamp = String.check(Schema.isPattern(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/))

const Images = Struct({ url_16x16: String, url_32x32: String, url_64x64: String, url_128x128: String })

const Category = Struct({ slug: String })

const list = <S extends Schema.Constraint>(item: S) =>
  Struct({
    links: Struct({ next: NullOr(String), prev: NullOr(String) }),
    meta: Struct({ count: Int, limit: NullOr(Int), offset: Int }),
    data: Array(item)
  })

const v1List = <S extends Schema.Constraint>(item: S) =>
  Struct({ next: NullOr(String), previous: NullOr(String), count: Int, objects: Array(item) })

export const Error = Struct({
  status: Schema.Union([Int, String]),
  code: String,
  title: String,
  detail: String,
  source: NullOr(Struct({ pointer: Schema.optionalKey(String), parameter: Schema.optionalKey(String) })),
  meta: Struct({})
})

export const v1Apps = Struct({
  total: Int,
  page: Int,
  pages: Int,
  per_page: Int,
  objects: Array(
    Struct({
      uuid: String,
      title: String,
      slug: String,
      description: String,
      image: String,
      url: String,
      links: Struct({ "mutual:zap_templates": String }),
      categories: Array(Category),
      images: Images,
      app_latest: String
    })
  ),
  prev_url: NullOr(String),
  next_url: NullOr(String)
})

export const categories = v1List(
  Struct({
    id: Int,
    title: String,
    slug: String,
    description: String,
    url: String,
    type_of: String,
    featured_entry_slug: NullOr(String),
    role: String
  })
)

const StepApp = {
  uuid: String,
  title: String,
  slug: String,
  description: String,
  hex_color: String,
  image: String,
  images: Images,
  api: String,
  url: String
}

export const templates = Array(
  Struct({
    id: Int,
    steps: Array(Struct({ id: NullOr(Int), ...StepApp, label: NullOr(String) })),
    title: String,
    slug: String.check(Schema.isPattern(/^[-a-zA-Z0-9_]+$/)),
    status: Schema.Literals(["draft", "published"]),
    description_plain: String,
    description_raw: String,
    url: String,
    description: String,
    create_url: String,
    type: String
  })
)

export const profile = Struct({
  id: Int,
  first_name: String,
  last_name: String,
  full_name: String,
  email: String,
  email_confirmed: Boolean,
  timezone: String
})

export const v1Zaps = v1List(
  Struct({
    id: Int,
    title: String,
    state: Schema.Literals(["on", "off"]),
    steps: Array(
      Struct({
        type_of: Schema.Literals(["read", "write", "filter", "search", "search_or_write"]),
        app: Struct({ id: Int, ...StepApp }),
        params: NullOr(Unknown)
      })
    ),
    url: String,
    modified_at: Timestamp
  })
)

export const v2Apps = Struct({
  data: Array(
    Struct({
      id: String,
      type: Schema.Literal("app"),
      image: String,
      links: Struct({ connect_new_authentication: NullOr(String) }),
      action_types: Array(String),
      title: String,
      images: Images,
      hex_color: String,
      categories: Array(Category),
      description: String
    })
  ),
  meta: Struct({ count: Int, limit: Int, offset: Int }),
  links: Struct({ next: NullOr(String), previous: NullOr(String) })
})

export const whitelabelApps = list(
  Struct({
    type: Schema.Literal("app"),
    id: String,
    title: String,
    image: String,
    is_oauth: Boolean,
    has_fields: Boolean,
    has_byoc: Boolean,
    links: Struct({ mcp_authorize_url: String, mcp_server_url: String })
  })
)

export const Action = Struct({
  id: String,
  key: String,
  app: String,
  type: Schema.Literal("action"),
  action_type: Schema.Literals(["READ", "READ_BULK", "WRITE", "SEARCH", "SEARCH_OR_WRITE", "SEARCH_AND_WRITE"]),
  is_instant: Boolean,
  title: String,
  description: String
})

export const actions = list(Action)

export const Authentication = Struct({
  type: Schema.Literal("authentication"),
  id: String,
  app: String,
  is_expired: Boolean,
  title: String
})

export const authentications = list(Authentication)

export const v2Zap = Struct({
  type: Schema.Literal("zap"),
  id: String,
  is_enabled: Boolean,
  last_successful_run_date: NullOr(Timestamp),
  updated_at: Timestamp,
  title: String,
  links: Struct({ html_editor: String }),
  steps: Array(Struct({ action: String, authentication: NullOr(String), inputs: Unknown, title: NullOr(String) }))
})

export const v2Zaps = list(v2Zap)

export const zapRuns = list(
  Struct({
    id: String.check(Schema.isUUID()),
    zap_id: Int,
    start_time: Timestamp,
    end_time: Timestamp,
    status: String,
    zap_title: String,
    steps: Array(Struct({ status: String, start_time: Timestamp })),
    data_in: Unknown,
    data_out: Unknown
  })
)

export const inputs = list(
  Struct({
    type: Schema.Literal("input_field"),
    id: String,
    default_value: String,
    depends_on: Array(String),
    description: String,
    format: Schema.Literals(["DATETIME", "MULTILINE", "PASSWORD", "CODE", "READONLY", "FILE", "SELECT"]),
    invalidates_input_fields: Boolean,
    is_required: Boolean,
    items: Struct({}),
    placeholder: String,
    title: String,
    value_type: Schema.Literals(["STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT"])
  })
)

export const choices = Struct({
  data: Array(Struct({ id: String, type: String, label: NullOr(String), value: String })),
  links: Struct({ next: NullOr(String), prev: NullOr(String) }),
  meta: Struct({ page: Finite })
})

export const outputs = list(Struct({ type: String, id: String, title: String, sample: String }))

export const guess = Struct({
  title: String,
  steps: Array(
    Struct({
      step: Struct({ title: NullOr(String), app: String, api: String }),
      alternatives: Array(Struct({ title: NullOr(String), app: String, api: String }))
    })
  ),
  prefilled_url: String
})
