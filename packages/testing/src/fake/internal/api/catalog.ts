/** Apps and their actions: invented, the same for all users, and in the documented shapes. */
import * as DateTime from "effect/DateTime"

export interface App {
  readonly index: number
  readonly uuid: string
  readonly title: string
  readonly slug: string
  readonly category: string
  readonly color: string
  /** The app's name in Zaps. */
  readonly api: string
  /** The kind of thing that its actions watch for, create and find. */
  readonly noun: string
}

export interface Action {
  readonly id: string
  readonly key: string
  readonly app: App
  readonly type: "READ" | "WRITE" | "SEARCH"
  readonly title: string
  readonly description: string
}

/** An id that looks random. */
export const uuid = (group: string, number: number) => `00000000-0000-4000-${group}-${String(number).padStart(12, "0")}`

export const apps: ReadonlyArray<App> = (
  [
    ["Slack", "slack", "team-chat", "510f4d", "message"],
    ["Google Calendar", "google-calendar", "calendar", "4285f4", "event"],
    ["Trello", "trello", "project-management", "0079bf", "card"],
    ["Typeform", "typeform", "forms", "8bcbca", "entry"],
    ["Mailchimp", "mailchimp", "email-newsletters", "ffe01b", "subscriber"],
    ["Google Sheets", "google-sheets", "spreadsheets", "0f9d58", "row"],
    ["HubSpot", "hubspot", "crm", "ff7a59", "contact"],
    ["Notion", "notion", "documents", "000000", "page"],
    ["Stripe", "stripe", "payments", "635bff", "payment"],
    ["Zendesk", "zendesk", "customer-support", "03363d", "ticket"],
    ["GitHub", "github", "developer-tools", "24292f", "issue"],
    ["Airtable", "airtable", "databases", "18bfff", "record"]
  ] as const
).map(([title, slug, category, color, noun], index) => ({
  index,
  uuid: uuid("8000", index + 1),
  title,
  slug,
  category,
  color,
  api: `${title.replace(/ /g, "")}CLIAPI@1.0.0`,
  noun
}))

const verbs = [
  ["READ", "new", "New", "Triggers when there is a new"],
  ["WRITE", "create", "Create", "Creates a"],
  ["SEARCH", "find", "Find", "Finds a"]
] as const

export const actions: ReadonlyArray<Action> = apps.flatMap((app) =>
  verbs.map(([type, key, title, sentence], index) => ({
    id: `uag:${uuid("9000", app.index * 10 + index + 1)}`,
    key: `${key}_${app.noun}`,
    app,
    type,
    title: `${title} ${app.noun.replace(/^./, (letter) => letter.toUpperCase())}`,
    description: `${sentence} ${app.noun} in ${app.title}.`
  }))
)

const appsById = new Map(apps.map((app) => [app.uuid, app]))

const actionsById = new Map(actions.map((action) => [action.id, action]))

export const app = (uuid: string): App | undefined => appsById.get(uuid)

/** How a program names an app, without its version. */
export const keyOf = ({ api }: App): string => api.replace(/@.*/, "")

/** An app by its id, its slug, or its key with or without a version. */
export const named = (name: string): App | undefined =>
  app(name) ?? apps.find((app) => app.slug === name || app.api === name || keyOf(app) === name)

export const action = (id: string): Action | undefined => actionsById.get(id)

/** An app as it appears in every list. */
export const face = ({ slug, title }: App) => ({
  title,
  description: `${title} is one of the apps that Zapier connects.`,
  image: `https://zapier.com/fake/${slug}.png`,
  images: {
    url_16x16: `https://zapier.com/fake/${slug}_16.png`,
    url_32x32: `https://zapier.com/fake/${slug}_32.png`,
    url_64x64: `https://zapier.com/fake/${slug}_64.png`,
    url_128x128: `https://zapier.com/fake/${slug}_128.png`
  }
})

/** An app as it appears in a step of a Zap or a template. */
export const stepApp = (app: App) => ({
  ...face(app),
  uuid: app.uuid,
  slug: app.slug,
  hex_color: app.color,
  api: app.api,
  url: `https://zapier.com/apps/${app.slug}/integrations`
})

/** A time in Zapier's format. */
export const timestamp = (millis: number): string =>
  // A clock may be set to a time that no date can represent.
  DateTime.formatIso(DateTime.makeUnsafe(Math.min(Math.max(millis, -latest), latest)))

const latest = 8_640_000_000_000_000
