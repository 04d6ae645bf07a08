/** Keeps `docs/errors.md` up to date. `npx vitest run packages/core/test/errors.docs.test.ts -u` rewrites it. */
import { readFileSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import type * as Errors from "../src/ZapierAuthError.ts"
import { samples } from "./utils/Reasons.ts"

const sections = {
  caller: "Errors in the calling code",
  user: "Errors that the user can resolve",
  owner: "Errors that the app's owner can resolve",
  time: "Errors that time resolves",
  attack: "Attacks, and mistakes that look like one",
  infrastructure: "Errors of Zapier or of your infrastructure"
}

const source = (name: string) => readFileSync(new URL(`../src/internal/reasons/${name}.ts`, import.meta.url), "utf8")

// The docstring above each class, without its tags.
const documented = (name: string) =>
  [...source(name).matchAll(/\/\*\*\n((?: \*[^\n]*\n)*?) \*\/\nexport class (\w+)/g)].map(([, text = "", tag = ""]) => {
    const lines = text.split("\n").map((line) => line.replace(/^ \* ?/, ""))
    const words = lines.join("\n").split("\n@since")[0]?.trim() ?? ""
    return { tag, words }
  })

const yes = (is: boolean) => (is ? "yes" : "no")

const sampleOf = (tag: string): Errors.Reason => {
  const sample = Object.entries(samples).find(([name]) => name === tag)?.[1]
  if (sample === undefined) throw new Error(`${tag} has no sample`)
  return sample
}

const acting: { readonly [party in Errors.Party]: string } = {
  Caller: "you",
  AppOwner: "the app's owner",
  User: "the user",
  Zapier: "Zapier",
  Network: "the operators of the network",
  Store: "the operators of the stores"
}

const whoActs = ({ blames, isRetryable, needsReconnect }: Errors.Reason) => {
  if (needsReconnect) return "the user, on the consent page"
  if (!isRetryable || blames === "Caller") return acting[blames]
  return blames === "Zapier" || blames === "Network" ? "no one: it passes" : `${acting[blames]}, if it lasts`
}

// All up to the first full stop that ends a sentence.
const firstSentence = (words: string) =>
  /^.*?\.(?= [A-Z`]|$)/.exec((words.split("\n\n", 1)[0] ?? "").replaceAll("\n", " "))?.[0] ?? ""

const rowOf = ({ tag, words }: { readonly tag: string; readonly words: string }) => {
  const reason = sampleOf(tag)
  const { blames, httpStatus, isRetryable, needsReconnect } = reason
  return [
    `[${tag}](#${tag.toLowerCase()})`,
    firstSentence(words),
    `\`${blames}\``,
    whoActs(reason),
    yes(isRetryable),
    yes(needsReconnect),
    `${httpStatus}`
  ]
}

const all = () => Object.keys(sections).flatMap(documented)

// In columns, as the formatter has them.
const tableOf = (header: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>) => {
  const widths = header.map((_, column) => Math.max(...[header, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}

const table = tableOf(
  ["reason", "when", "`blames`", "who acts", "`isRetryable`", "`needsReconnect`", "`httpStatus`"],
  all().map(rowOf)
)

const entryOf = ({ tag, words }: { readonly tag: string; readonly words: string }) => {
  const { httpStatus, isRetryable, message, needsReconnect } = sampleOf(tag)
  return [
    `### ${tag}`,
    "",
    words,
    "",
    `> ${message}`,
    "",
    `Retry later: ${yes(isRetryable)}. Connect again: ${yes(needsReconnect)}. HTTP status: ${httpStatus}.`,
    ""
  ]
}

const intro = `# Errors

Every operation fails with one error, \`ZapierAuthError\`, whose \`reason\` is one of these, grouped by who can act. Each
message, shown as an example, says what happened and what to do next. No error contains a token, code, secret, \`state\` or
body.

Most programs need only two members. \`isRetryable\` is true if the same call may succeed later by itself, and
\`needsReconnect\` if the user must go through the consent page (again). \`blames\` names the party at fault: \`Caller\`,
\`AppOwner\`, \`User\`, \`Zapier\`, \`Network\` or \`Store\`. \`httpStatus\` is the status with which a web app can respond to its
own client.

${table}

\`AuthorizationRefused\` depends on its \`error\`: after \`server_error\` and \`temporarily_unavailable\` it blames \`Zapier\`,
\`isRetryable\` and \`needsReconnect\` are true, and the status is 503. \`ExchangeOutcomeUnknown\` blames \`Zapier\` if it
has a \`status\`.

A callback works once. If \`handleCallback\` fails after its \`state\` was found, the same callback is refused afterwards
(\`StateMismatch\`), even for a retryable reason: begin again with a new authorization URL, at once or after a pause.

**With Effect**

\`\`\`ts
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import * as Effect from "effect/Effect"

export const badge = (subject: string) =>
  ZapierAuth.use((auth) => auth.accessToken(subject)).pipe(
    Effect.as("connected"),
    Effect.catchReason("ZapierAuthError", "RateLimited", () => Effect.succeed("busy")),
    Effect.catchTag("ZapierAuthError", (error) =>
      error.needsReconnect ? Effect.succeed("connect again") : Effect.fail(error)
    )
  )
\`\`\`

**Without Effect**

\`ZapierPromise\` returns \`{ ok: false, error }\`, whose \`_tag\` is the reason's name, with the same
members:

\`\`\`ts
import type { ZapierPromise } from "@zapier-workflow-auth/node-adapter/ZapierPromise"

export const badgeOf = async (zapier: ZapierPromise, subject: string): Promise<string> => {
  const token = await zapier.accessToken(subject)
  if (token.ok) return "connected"
  if (token.error._tag === "RateLimited") return "busy"
  return token.error.needsReconnect ? "connect again" : token.error.message
}
\`\`\`

\`retryAfter\` is the time to wait that Zapier asked for, if any.

**With Effect**

It is a \`Duration\`, as in Effect's own errors, so a schedule that reads it there works here, too:

\`\`\`ts
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

const patient = Schedule.exponential("1 second").pipe(
  Schedule.setInputType<ZapierAuthError>(),
  Schedule.modifyDelay(({ duration, input }) =>
    Effect.succeed(Duration.max(duration, input.retryAfter ?? Duration.zero))
  )
)

export const accessToken = (subject: string) =>
  ZapierAuth.use((auth) => auth.accessToken(subject)).pipe(
    Effect.retry({ schedule: patient, times: 3, while: ({ isRetryable }) => isRetryable })
  )
\`\`\`

**Without Effect**

It is a number of milliseconds:

\`\`\`ts
import { setTimeout } from "node:timers/promises"
import type { ZapierPromise } from "@zapier-workflow-auth/node-adapter/ZapierPromise"

export const patientToken = async (zapier: ZapierPromise, subject: string) => {
  let pause = 1_000
  let token = await zapier.accessToken(subject)
  for (let retries = 3; retries > 0 && !token.ok && token.error.isRetryable; retries--) {
    const asked = "retryAfter" in token.error ? (token.error.retryAfter ?? 0) : 0
    await setTimeout(Math.max(pause, asked))
    pause *= 2
    token = await zapier.accessToken(subject)
  }
  return token
}
\`\`\`

A store of your own fails with the reason itself, \`StoreFailed\` or \`DecryptionFailed\`, and the operation that needed the store
fails with a \`ZapierAuthError\` that has it. To make one, \`ZapierAuthError.make(reason)\` is the shortest way.

A web app tells its own client with \`httpStatus\`, \`Retry-After\` and problem details (RFC 9457). Messages that are for whoever
runs the app are left out of those, and belong in its log. An \`HttpApi\` names \`ZapierProblem.errors\`, and
[middleware](effect.md#an-httpapi-with-sessions) does it for all routes:

**With Effect**

\`\`\`ts
import * as ZapierProblem from "@zapier-workflow-auth/core/app/ZapierProblem"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"

// For Effect's router
export const respond = (error: ZapierAuthError) => ZapierProblem.toResponse(error)
\`\`\`

**Without Effect**

\`\`\`ts
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"

export const zapsOf = async (zapier: ZapierPromise.ZapierPromise, subject: string): Promise<Response> => {
  const zaps = await zapier.fetch("/v2/zaps", { subject })
  return zaps.ok ? zaps.value : ZapierPromise.toResponse(zaps.error)
}
\`\`\`

\`InsufficientScope\` does not ask to connect again by itself: an app that asks for the same scopes gets the same scopes. What
\`handleCallback\` gives names them at once: \`missingScopes\` are those that were asked for and not granted.
Ask for one of \`anyOf\` as well, and keep what was granted before with \`incremental\`:

**With Effect**

\`\`\`ts
import { ZapierAuth } from "@zapier-workflow-auth/core/ZapierAuth"
import type { InsufficientScope } from "@zapier-workflow-auth/core/ZapierAuthError"

export const askFor = (subject: string, { anyOf }: InsufficientScope) =>
  ZapierAuth.use((auth) => auth.authorizationUrl({ subject, scopes: anyOf.slice(0, 1), incremental: true }))
\`\`\`

**Without Effect**

\`\`\`ts
import type { Failure, ZapierPromise } from "@zapier-workflow-auth/node-adapter/ZapierPromise"

type InsufficientScope = Extract<Failure, { readonly _tag: "InsufficientScope" }>

export const askForOf = (zapier: ZapierPromise, subject: string, { anyOf }: InsufficientScope) =>
  zapier.authorizationUrl({ subject, scopes: anyOf.slice(0, 1), incremental: true })
\`\`\`
`

const document = [
  intro,
  ...Object.entries(sections).flatMap(([name, title]) => [`## ${title}`, "", ...documented(name).flatMap(entryOf)])
].join("\n")

it("ends no sentence of the table in the middle", () => {
  for (const { tag, words } of all()) {
    const when = firstSentence(words)
    expect(when, tag).toMatch(/^[A-Z].*\.$/)
    expect(when.split("(").length, tag).toBe(when.split(")").length)
    expect(when.split("`").length % 2, tag).toBe(1)
  }
})

it("docs/errors.md is up to date, and has every reason", async () => {
  const shown = Object.keys(sections).flatMap((name) => documented(name).map(({ tag }) => tag))
  expect(shown.toSorted((a, b) => a.localeCompare(b))).toEqual(
    Object.keys(samples).toSorted((a, b) => a.localeCompare(b))
  )
  await expect(document).toMatchFileSnapshot("../../../docs/errors.md")
})
