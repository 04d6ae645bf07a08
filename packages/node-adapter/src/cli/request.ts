/** `request` as others see it: its flags and help. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

export const request = Command.make(
  "request",
  {
    method: Argument.Literals("method", methods).pipe(Argument.withDescription("The HTTP method")),
    path: Argument.String("path").pipe(
      Argument.withDescription("The path of the API, with its query: /v2/zaps?limit=5"),
      Argument.filter(
        (path) => path.startsWith("/") && !path.startsWith("//"),
        () => "a path that begins with /, such as /v2/zaps"
      )
    ),
    data: Flag.String("data").pipe(
      Flag.withAlias("d"),
      Flag.withMetavar("TEXT"),
      Flag.withDescription("The body: a text, @file, or @- for stdin"),
      Flag.optional
    ),
    contentType: Flag.String("content-type").pipe(
      Flag.withMetavar("TYPE"),
      Flag.withDescription("What the body is. Default: application/json"),
      Flag.withDefault("application/json")
    ),
    as: Flag.Literals("as", ["user", "app", "client-id"]).pipe(
      Flag.withDescription("Which credential to use. Default: what the endpoint takes, a user's first"),
      Flag.optional
    ),
    scopes: Flags.scopes("As the app: what its token is to allow. Default: what the endpoint needs"),
    subject: Flags.subject,
    ...Flags.connection
  },
  lazily(async () => (await import("./run/request.ts")).request)
).pipe(
  Command.withDescription(
    `Calls Zapier's API with the credential that the endpoint takes, and prints what it answers. A token is renewed before if it has to be. With an answer of 400 or more it ends with 1, and says the status on stderr.`
  ),
  Command.withShortDescription("Call the API"),
  Command.withExamples([
    { command: "zapier-workflow-auth request GET /v2/zaps?limit=5 --subject ada" },
    { command: "zapier-workflow-auth request POST /v2/zaps -d @zap.json" },
    { command: "zapier-workflow-auth request GET /v2/apps --as client-id" }
  ])
)
