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
  return blames === "Zapier" || blames === "Network" ? "no one: retry later" : `${acting[blames]}, if it lasts`
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

If authentication fails, the error is a \`ZapierAuthError\`. Its \`reason\` is one of those in the table, which are grouped by
who can act. Each message says what happened and what to do next. No error contains a token, code, secret, \`state\` or body.
The [typed client](api.md#failures) adds errors for responses of the API.

Most programs need only two members. \`isRetryable\` is true if the same call may succeed later, and \`needsReconnect\` is true
if the user must go through the consent page (again). Two more members are for logs and web apps. \`blames\` names the party at
fault: \`Caller\`, \`AppOwner\`, \`User\`, \`Zapier\`, \`Network\` or \`Store\`. \`httpStatus\` is the status for a web app's response to
its own client.

${table}

Two reasons vary. If the \`error\` of \`AuthorizationRefused\` is \`server_error\` or \`temporarily_unavailable\`, it blames
\`Zapier\`, \`isRetryable\` and \`needsReconnect\` are true, and the status is 503. If \`ExchangeOutcomeUnknown\` has a \`status\`, it
blames \`Zapier\`.

A callback works once. If \`handleCallback\` has found its \`state\` and then fails, the library refuses the same callback
afterwards (\`StateMismatch\`), even if the reason is retryable. Begin again with a new authorization URL, at once or after a
pause.

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

\`ZapierPromise\` returns \`{ ok: false, error }\`. The \`_tag\` of the error is the reason's name, and the error has the same
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

If Zapier asked for a pause, \`retryAfter\` is its length.

**With Effect**

\`retryAfter\` is a \`Duration\`, as in Effect's own errors. A schedule can read it:

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

\`retryAfter\` is a number of milliseconds:

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

A store of your own fails with the reason itself, \`StoreFailed\` or \`DecryptionFailed\`. The operation that needed the store
then fails with a \`ZapierAuthError\` that has this reason. To make a \`ZapierAuthError\`, use \`ZapierAuthError.make(reason)\`.

A web app reports an error to its own client with \`httpStatus\`, \`Retry-After\` and problem details (RFC 9457). Problem details
omit messages for the app's operators, which belong in the log. With an \`HttpApi\`, use \`ZapierProblem.errors\`, or
[middleware](effect.md#an-httpapi-with-sessions) for all routes. For other apps, these functions make the response:

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

After \`InsufficientScope\`, \`needsReconnect\` is false, because the same request would get the same scopes again. Request one of
the scopes in \`anyOf\`, and use \`incremental\` to keep the scopes that were granted before. \`missingScopes\`, in the result of
\`handleCallback\`, lists the scopes that the app requested and the user did not grant:

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
