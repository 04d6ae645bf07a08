/** Zap templates, and a guess at the Zap that a sentence describes. */
import * as Result from "effect/Result"
import * as FakeHttp from "../../FakeHttp.ts"
import { type Handler, ok } from "./call.ts"
import * as Catalog from "./catalog.ts"
import * as Paging from "./paging.ts"

const [chat, ...others] = Catalog.apps

const templates = others.map((app, index) => {
  const id = 51_652 + index
  const title = `Post messages to Slack whenever there is a new ${app.noun} in ${app.title}`
  const slug = title.toLowerCase().replace(/ /g, "-")
  const description = `Tells a Slack channel of each new ${app.noun} in ${app.title}.`
  const steps = [app, chat].flatMap((step, position) =>
    step === undefined ? [] : [{ id: position + 1, ...Catalog.stepApp(step), label: null }]
  )
  return {
    id,
    steps,
    title,
    slug,
    status: "published",
    description_plain: description,
    description_raw: description,
    url: `https://zapier.com/apps/${app.slug}/integrations/slack/${id}/${slug}`,
    description: `<p>${description}</p>`,
    create_url: `https://api.zapier.com/v1/embed/your-app/create/${id}`,
    type: "guided_zap"
  }
})

/** Returns the list without an envelope. */
export const list: Handler<"zapTemplates.list"> = function* (call) {
  const slugs = call.query.apps ?? []
  const found = templates.filter(({ steps }) => slugs.every((slug) => steps.some((step) => step.slug === slug)))
  return ok((yield* Paging.slice(call, found, { otherwise: 5, most: 100 })).items)
}

/** Finds the apps of a sentence in their order, and an action of each. */
export const guess: Handler<"zaps.guess"> = function* ({ payload: { description } }) {
  const text = description.toLowerCase()
  const mentioned = Catalog.apps
    .map((app) => ({ app, at: text.indexOf(app.title.toLowerCase()) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)
  const steps = mentioned.flatMap(({ app }, index) => {
    const type = index === 0 ? "READ" : "WRITE"
    const action = Catalog.actions.find((action) => action.app === app && action.type === type)
    return action === undefined ? [] : [action]
  })
  const [first, second] = steps
  if (first === undefined || second === undefined) {
    const detail = "This doesn't seem to be a workflow. Name two apps, such as Typeform and Slack."
    return yield* Result.fail(FakeHttp.json(400, { messages: [{ detail }] }))
  }
  const prefilled = new URLSearchParams({ copilot_prompt: description })
  steps.forEach(({ app, key, type }, index) => {
    prefilled.append(`steps[${index}][app]`, app.api)
    prefilled.append(`steps[${index}][action]`, key)
    prefilled.append(`steps[${index}][type]`, type.toLowerCase())
  })
  return ok({
    title: `${second.title} in ${second.app.title} for each new ${first.app.noun} in ${first.app.title}`,
    steps: steps.map(({ app, title }) => ({ step: { title, app: app.title, api: app.api }, alternatives: [] })),
    prefilled_url: `https://api.zapier.com/v1/embed/your-app/create?${prefilled}`
  })
}
