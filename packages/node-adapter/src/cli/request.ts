/** The flags and help of `request`. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

export const request = Command.make(
  "request",
  {
    method: Argument.Literals("method", methods).pipe(Argument.withDescription("GET, POST, PUT, PATCH or DELETE")),
    path: Argument.String("path").pipe(
      Argument.withDescription("The path, with its query: /v2/zaps?limit=5"),
      Argument.filter(
        (path) => path.startsWith("/") && !path.startsWith("//"),
        () => "a path that begins with one slash, such as /v2/zaps"
      ),
      Argument.filter(
        (path) => !/[{}]/.test(path),
        () => "a path with a value in the place of each {parameter}, such as /v2/zaps/123"
      ),
      Argument.filter(
        (path) => !/[#\\]|\/\.{1,2}(?:[/?]|$)/.test(path),
        () => "a path without #, backslashes, and segments of dots"
      )
    ),
    data: Flag.String("data").pipe(
      Flag.withAlias("d"),
      Flag.withMetavar("TEXT"),
      Flag.withDescription("The body: text, @file, or @- for stdin"),
      Flag.optional
    ),
    contentType: Flag.String("content-type").pipe(
      Flag.withMetavar("TYPE"),
      Flag.withDescription("The media type of the body. Default: application/json"),
      Flag.withDefault("application/json")
    ),
    as: Flag.Literals("as", ["user", "app", "client-id"]).pipe(
      Flag.withMetavar("MODE"),
      Flag.withDescription(
        "The credential to send. Default: the one that the endpoint takes; a user's, if it takes two"
      ),
      Flag.optional
    ),
    scopes: Flags.scopes("A scope of the app's token. Default: what the endpoint needs."),
    include: Flag.Boolean("include").pipe(
      Flag.withAlias("i"),
      Flag.withDescription("Print the status line and the headers, too"),
      Flag.withDefault(false)
    ),
    subject: Flags.subject,
    ...Flags.connection
  },
  lazily(async () => (await import("./run/request.ts")).request)
).pipe(
  Command.withDescription(
    `Calls the API with the credential that the endpoint takes, and prints the body of the response: indented JSON on a terminal, the bytes as they came in a pipe. An expired token is refreshed first.

The exit code is 1 for a status of 400 or more, which is reported on stderr.`
  ),
  Command.withShortDescription("Call the API"),
  Command.withExamples([
    { command: "zapier-workflow-auth request GET '/v2/zaps?limit=5' --subject ada" },
    { command: "zapier-workflow-auth request POST /v2/zaps -d @zap.json" },
    { command: "zapier-workflow-auth request GET /v2/apps --as client-id" }
  ])
)
