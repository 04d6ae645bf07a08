/** What the API answers with: plausible, and of the shapes that Zapier documents. */
import type { User } from "../FakeState.ts"

interface CatalogApp {
  readonly uuid: string
  readonly title: string
  readonly slug: string
  readonly category: string
}

export const catalog: ReadonlyArray<CatalogApp> = [
  ["Slack", "slack", "team-chat"],
  ["Google Calendar", "google-calendar", "calendar"],
  ["Trello", "trello", "project-management"],
  ["Typeform", "typeform", "forms"],
  ["Mailchimp", "mailchimp", "email-newsletters"],
  ["Google Sheets", "google-sheets", "spreadsheets"],
  ["HubSpot", "hubspot", "crm"],
  ["Notion", "notion", "documents"],
  ["Stripe", "stripe", "payments"],
  ["Zendesk", "zendesk", "customer-support"],
  ["GitHub", "github", "developer-tools"],
  ["Airtable", "airtable", "databases"]
].map(([title = "", slug = "", category = ""], index) => ({
  uuid: `00000000-0000-4000-8000-${String(index + 1).padStart(12, "0")}`,
  title,
  slug,
  category
}))

export const v1App = ({ category, slug, title, uuid }: CatalogApp) => ({
  uuid,
  title,
  slug,
  description: `${title} is one of the apps that Zapier connects.`,
  image: `https://zapier.com/fake/${slug}.png`,
  url: `https://api.zapier.com/v1/embed/apps/your-app/integrations/${slug}`,
  links: { "mutual:zap_templates": `https://api.zapier.com/v1/zap-templates?apps=${slug}` },
  categories: [{ slug: category }]
})

export const categories = [...new Set(catalog.map(({ category }) => category))].map((slug, index) => ({
  id: index + 1,
  slug,
  title: slug.replace(/-/g, " ")
}))

export const templates = catalog.slice(1).map((app, index) => {
  const [chat] = catalog
  const steps = [app, chat].flatMap((step, position) =>
    step === undefined ? [] : [{ id: position + 1, uuid: step.uuid, title: step.title, slug: step.slug }]
  )
  return {
    id: 51_652 + index,
    title: `Post messages to Slack whenever something happens in ${app.title}`,
    slug: `slack-${app.slug}`,
    status: "published",
    description_plain: `Tells a Slack channel what happens in ${app.title}.`,
    type: "guided_zap",
    steps,
    url: `https://zapier.com/apps/${app.slug}/integrations/slack/${51_652 + index}`,
    create_url: `https://api.zapier.com/v1/embed/${app.slug}/create/${51_652 + index}`
  }
})

export const profile = ({ email, firstName, id, lastName }: User) => ({
  id,
  first_name: firstName,
  last_name: lastName,
  full_name: `${firstName} ${lastName}`,
  email,
  email_confirmed: true,
  timezone: "UTC"
})

const zapsOf = ({ id }: User) =>
  [
    { title: "Create Trello cards from new Typeform entries", enabled: true },
    { title: "Post new Stripe payments to Slack", enabled: true },
    { title: "Add GitHub issues to a Google Sheet", enabled: false }
  ].map((zap, index) => ({ ...zap, number: id * 100 + index }))

const modifiedAt = "2026-03-22T09:38:11Z"

export const v1Zaps = (user: User) =>
  zapsOf(user).map(({ enabled, number, title }) => ({
    id: number,
    title,
    state: enabled ? "on" : "off",
    steps: [],
    url: `https://zapier.com/editor/${number}`,
    modified_at: modifiedAt
  }))

export const v2Zaps = (user: User) =>
  zapsOf(user).map(({ enabled, number, title }) => ({
    type: "zap",
    id: `00000000-0000-c000-8000-${String(number).padStart(12, "0")}`,
    is_enabled: enabled,
    last_successful_run_date: enabled ? modifiedAt : null,
    updated_at: modifiedAt,
    title,
    links: { html_editor: `https://zapier.com/editor/${number}` },
    steps: []
  }))
