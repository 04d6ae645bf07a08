/**
 * Calls the command line in wrong ways, and keeps `docs/cli-errors.md` up to date, which shows each message.
 * `npx vitest run packages/node-adapter/test/cli/wrongCalls.test.ts -u` writes it anew.
 */
import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs"
import { createServer as createHttpServer } from "node:http"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as CommandLine from "../utils/CommandLine.ts"
import * as World from "../utils/CommandLineWorld.ts"
import * as Transcripts from "../utils/Transcripts.ts"

type Made = Effect.Success<typeof Transcripts.make>

interface Wrong {
  /** As it is typed after the name of the program. `~` is the home directory. */
  readonly call: string
  /** What is wrong, where the call does not show it. */
  readonly when?: string
  readonly code?: number
  readonly isFresh?: boolean
  readonly env?: CommandLine.Environment
  readonly stdin?: string
  /** The arguments, where a test cannot use those of the call. */
  readonly args?: ReadonlyArray<string>
  readonly before?: Effect.Effect<unknown>
  readonly run?: Effect.Effect<CommandLine.Ended>
}

const listening = (server: Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.sync(() => server.close())
  )

/** A server that gives every client the same response. */
const responding = (response: (socket: Socket) => void) =>
  listening(createServer((socket) => void socket.on("error", () => {}).once("data", () => response(socket))))

// ErrorResponse of Postgres: https://www.postgresql.org/docs/current/protocol-message-formats.html
const wrongPostgresPassword = () => {
  const fields = ["SFATAL", "VFATAL", "C28P01", 'Mpassword authentication failed for user "ada"', ""].join("\0")
  const body = Buffer.from(`${fields}\0`)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length + 4)
  return Buffer.concat([Buffer.from("E"), length, body])
}

const wrongRedisPassword = "-WRONGPASS invalid username-password pair or user is disabled.\r\n"

const sync = <A>(thunk: () => A) => Effect.sync(thunk)

/** Calls that are not understood: nothing is read, and nothing is sent. */
const notUnderstood: ReadonlyArray<Wrong> = [
  { call: "lgin" },
  { call: "help lgout" },
  { call: "rotate-key swich" },
  { call: "status now" },
  { call: "token --subjekt ada" },
  { call: "token --subject" },
  { call: "app-token" },
  { call: "request GET" },
  { call: "request FETCH /v2/zaps" },
  { call: "request GET v2/zaps" },
  { call: "request GET https://evil.example/v2/zaps" },
  { call: "request GET /v2/zaps/{id}" },
  { call: "request GET /v2/../oauth/token" },
  { call: "request GET /v2/zaps --as admin" },
  { call: "status --state ReconnectRequired" },
  { call: "login --timeout soon" },
  { call: "login --timeout 1000" },
  { call: "login --redirect-uri http://acme.example/callback" },
  { call: "login --redirect-uri callback" },
  { call: "fake --port 70000" },
  { call: "token --subject ada --subject eve" },
  { call: "scopes --log-level loud" }
].map((wrong) => ({ ...wrong, code: 2 }))

const settings = ({ home }: Made): ReadonlyArray<Wrong> => {
  const none = { ZAPIER_CLIENT_SECRET: "" }
  const secret = join(home, "secret")
  return [
    { call: "login", when: "several variables are missing", isFresh: true },
    { call: "app-token --scope zap", when: "`ZAPIER_CLIENT_ID` is missing", env: { ZAPIER_CLIENT_ID: "" } },
    { call: "app-token --scope zap", when: "the secret is missing, and there is no terminal", env: none },
    { call: "app-token --scope zap", when: "the secret ends with a space", env: { ZAPIER_CLIENT_SECRET: "s3cret " } },
    {
      call: "app-token --scope zap --client-secret-file ~/secret",
      when: "others can read the file",
      env: none,
      before: sync(() => {
        writeFileSync(secret, "s3cret\n")
        chmodSync(secret, 0o644)
      })
    },
    { call: "app-token --scope zap --client-secret-file -", when: "stdin is closed", env: none, stdin: "" },
    {
      call: "token",
      when: "`ZAPIER_CLIENT_SECRET` and `ZAPIER_CLIENT_SECRET_FILE` are set",
      env: { ZAPIER_CLIENT_SECRET_FILE: secret }
    },
    {
      call: "status",
      when: "`ZAPIER_DATABASE_URL` and `ZAPIER_REDIS_URL` are set",
      env: { ZAPIER_FAKE: "", ZAPIER_DATABASE_URL: "postgres://db/app", ZAPIER_REDIS_URL: "redis://db" }
    },
    { call: "token --fake ftp://127.0.0.1" },
    { call: "token --fake http://10.0.0.1:9270" },
    { call: "token --config ~/nowhere.env" },
    { call: "init --directory ~", when: "there is no terminal to ask at" },
    {
      call: "login --paste",
      when: "stdin is closed",
      stdin: ""
    }
  ]
}

const databases = Effect.fnUntraced(function* ({ home, world }: Made) {
  const postgres = yield* responding((socket) => socket.end(wrongPostgresPassword()))
  const redis = yield* responding((socket) => socket.write(wrongRedisPassword.repeat(20)))
  const key = Buffer.alloc(32, 7).toString("base64")
  const data = join(home, ".local/share/zapier-workflow-auth")
  const copy = join(home, "copy")
  const server = (url: string) => ({ ZAPIER_FAKE: "", ZAPIER_DATABASE_URL: url, ZAPIER_ENCRYPTION_KEYS: key })
  const redisServer = (url: string) => ({ ZAPIER_FAKE: "", ZAPIER_REDIS_URL: url, ZAPIER_ENCRYPTION_KEYS: key })
  const open = () => new DatabaseSync(join(copy, "fake.sqlite"))
  const folder = (name: string, mode: number) =>
    sync(() => {
      mkdirSync(join(home, name))
      chmodSync(join(home, name), mode)
    })
  const inCopy = (sql: string) =>
    sync(() => {
      const database = open()
      database.exec(sql)
      database.close()
    })
  let held: DatabaseSync | undefined
  return [
    { call: "token", isFresh: true },
    { call: "rotate-key begin", isFresh: true },
    { call: "token --data-directory ~/nowhere" },
    { call: "login --data-directory /proc/nope" },
    {
      call: "status --data-directory ~/photos",
      when: "the folder belongs to another program",
      before: folder("photos", 0o755)
    },
    {
      call: "status --data-directory ~/notes.txt",
      when: "it is a file",
      before: sync(() => writeFileSync(join(home, "notes.txt"), "notes\n"))
    },
    { call: "status --data-directory ~/closed", when: "its mode is 000", before: folder("closed", 0o000) },
    {
      call: "status --data-directory ~/other",
      when: "its `fake.sqlite` is no database",
      before: Effect.andThen(
        folder("other", 0o700),
        sync(() => writeFileSync(join(home, "other/fake.sqlite"), "x".repeat(2_000), { mode: 0o600 }))
      )
    },
    {
      call: "logout --subject ada --data-directory ~/copy",
      when: "another process has locked the database",
      before: Effect.andThen(
        folder("copy", 0o700),
        sync(() => {
          for (const name of ["fake.sqlite", "fake.key"]) {
            copyFileSync(join(data, name), join(copy, name))
            chmodSync(join(copy, name), 0o600)
          }
          held = open()
          held.exec("BEGIN IMMEDIATE")
        })
      )
    },
    {
      call: "token --subject ada --data-directory ~/copy",
      when: "a newer version wrote the connection",
      before: Effect.andThen(
        sync(() => held?.close()),
        inCopy("UPDATE zapier_grants SET record = '{}'")
      )
    },
    {
      call: "token --subject ada --data-directory ~/copy",
      when: "others can read the key file",
      before: sync(() => chmodSync(join(copy, "fake.key"), 0o644))
    },
    { call: "rotate-key switch", when: "there is no new key yet" },
    {
      call: "rotate-key finish",
      when: "the new key does not encrypt yet",
      before: world.run(["rotate-key", "begin"])
    },
    {
      call: "rotate-key reencrypt",
      when: "the configured key is another one",
      before: sync(() => writeFileSync(join(data, "fake.key"), `${key}\n`, { mode: 0o600 }))
    },
    { call: "token --subject ada", when: "the configured key is another one" },
    { call: "rotate-key begin --key-file ~/secret", when: "with a fake, which has a key of its own" },
    {
      call: "token",
      when: "Postgres without encryption keys",
      env: { ...server("postgres://ada:hunter2@127.0.0.1:1/app"), ZAPIER_ENCRYPTION_KEYS: "" }
    },
    {
      call: "token",
      when: "Postgres cannot be reached",
      env: server("postgres://ada:hunter2@127.0.0.1:1/app")
    },
    {
      call: "token",
      when: "Postgres rejects the password",
      env: server(`postgres://ada:hunter2@127.0.0.1:${postgres}/app`)
    },
    {
      call: "token",
      when: "`ZAPIER_DATABASE_URL` is an address of MySQL",
      env: server("mysql://ada:hunter2@127.0.0.1/app")
    },
    { call: "token", when: "Redis cannot be reached", env: redisServer("redis://ada:hunter2@127.0.0.1:1") },
    { call: "token", when: "Redis rejects the password", env: redisServer(`redis://ada:hunter2@127.0.0.1:${redis}`) }
  ] satisfies ReadonlyArray<Wrong>
})

const zapier = Effect.fnUntraced(function* ({ world }: Made) {
  const stranger = yield* listening(
    createHttpServer((_, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<h1>Hi</h1>"))
  )
  const port = new URL(world.redirectUri).port
  const taken = createServer()
  /** The end of a login, whose address has been shown before. */
  const login = (more: ReadonlyArray<string>, answer: (url: string) => Effect.Effect<string>) =>
    Effect.gen(function* () {
      const { ended, recorder, url } = yield* world.beginLogin(more)
      yield* World.visit(yield* answer(url))
      const { code } = yield* ended
      return { code, ...recorder.lines }
    }).pipe(Effect.scoped, Effect.orDie)
  return [
    { call: "token --subject eve", when: "only ada is connected" },
    { call: "token", when: "only ada is connected" },
    { call: "request GET /v2/zapss" },
    { call: "request GET /v9/new" },
    { call: "scopes GET /v2/zaps" },
    { call: 'scopes "GET /v2/zapz"' },
    { call: "request GET /v2/zap-runs --subject ada", when: "ada has not allowed it" },
    { call: "request POST /v2/zaps -d {title:x} --subject ada" },
    { call: "request POST /v2/zaps -d @zap.json --subject ada", when: "there is no such file" },
    { call: "request DELETE /v2/promotions/12", when: "Zapier knows no such promotion" },
    { call: "app-token --scope nope", when: "there is no such scope" },
    { call: "app-token --scope profile", when: "the secret is an old one", env: { ZAPIER_CLIENT_SECRET: "old" } },
    { call: "request GET /v1/apps --fake http://127.0.0.1:1", when: "nothing listens there" },
    { call: "login", when: "you press Deny", run: login([], (url) => Effect.orDie(world.fake.deny(url))) },
    {
      call: "login --timeout 1",
      when: "the consent page stays open",
      run: login(["--timeout", "1"], () => Effect.succeed(world.origin))
    },
    {
      call: "login --paste",
      when: "the address belongs to another login",
      stdin: `${world.redirectUri}?code=a&state=b
`
    },
    {
      call: "login",
      when: "another program uses the port",
      before: Effect.callback<void>((resume) => {
        taken.listen(Number(port), "127.0.0.1", () => resume(Effect.void))
      })
    },
    {
      call: "fake --port 9270",
      when: "another program uses the port",
      args: ["fake", "--port", new URL(world.origin).port, "--playground-port", "0"],
      before: sync(() => taken.close())
    },
    {
      call: "token --subject ada",
      when: "ada has removed the app at Zapier",
      before: Effect.orDie(Effect.andThen(world.expireAccessTokens, world.fake.revoke({ clientId: "acme" })))
    },
    {
      call: "doctor",
      when: "`ZAPIER_FAKE` is the address of something else",
      env: { ZAPIER_FAKE: `http://127.0.0.1:${stranger}` }
    },
    {
      call: "scopes > /dev/full",
      when: "the disk is full",
      run: CommandLine.intoFull(["scopes"], {})
    }
  ] satisfies ReadonlyArray<Wrong>
})

const sections = [
  ["Calls that are not understood", "The command line rejects these calls before it reads or sends anything."],
  ["Settings", "These calls have invalid flags, variables or files."],
  ["Databases and keys", "Messages never show the password in an address."],
  ["Users, Zapier and stdout", "If a user must connect, the message contains the command for this user."]
] as const

const cell = (text: string) => text.replaceAll("|", "\\|")

const code = (text: string) =>
  `<code>${cell(text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll("{", "&#123;"))}</code>`

// A cell of a table has no lines, and a browser drops blanks at their beginning.
const lines = (text: string) =>
  text
    .split("\n")
    .map((line) => code(line.replace(/ {2,}/g, (blanks) => "&nbsp;".repeat(blanks.length))))
    .join("<br>")
    .replaceAll("&amp;nbsp;", "&nbsp;")

/** A table as the formatter of the repository writes it. */
const table = (rows: ReadonlyArray<ReadonlyArray<string>>) => {
  const head = ["call", "exit code", "message"]
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>, fill = " ") =>
    `| ${cells.map((text, column) => text.padEnd(widths[column] ?? 0, fill)).join(" | ")} |`
  return [line(head), line(["", "", ""], "-"), ...rows.map((row) => line(row))].join("\n")
}

const file = "../../../../docs/cli-errors.md"

// Tells what to do, or names the command that does.
const nextStep =
  /\n {2}zapier-workflow-auth |\b(add|check|compare|did you mean|find out|give|keep|leave|let|move|name|paste|put|quote|run|say|see|send|set|start|use)\b/i

describe.skipIf(process.platform !== "linux")("wrong calls (only on Linux, which has /tmp and /dev/full)", () => {
  it.live(
    "say what happened and what to do, in 80 columns and without a secret",
    () =>
      Effect.gen(function* () {
        const made = yield* Transcripts.make
        const { fresh, freshly, home, steady, world } = made
        yield* world.login(["--subject", "ada"])
        const all = [notUnderstood, settings(made), yield* databases(made), yield* zapier(made)]
        const tables: Array<string> = []
        let count = 0
        for (const [index, wrongs] of all.entries()) {
          // The keys of the session were replaced.
          if (index === 3) {
            yield* world.run(["logout", "--subject", "ada"])
            yield* world.login(["--subject", "ada"])
          }
          const rows: Array<ReadonlyArray<string>> = []
          for (const wrong of wrongs as ReadonlyArray<Wrong>) {
            const { before = Effect.void, code: expected = 1, env = {}, isFresh = false } = wrong
            yield* before
            const args = wrong.args ?? Transcripts.wordsOf(wrong.call).map((word) => word.replace(/^~/, home))
            const recorder = CommandLine.recorder(wrong.stdin)
            const vars = isFresh ? { HOME: fresh } : { ...world.env, ...env }
            const inProcess = Effect.map(CommandLine.run(args, vars, recorder), ({ code }) => ({
              code,
              stdout: recorder.lines.stdout,
              stderr: recorder.lines.stderr
            }))
            const ended = yield* wrong.run ?? inProcess
            const name = `${wrong.call}${wrong.when === undefined ? "" : `, ${wrong.when}`}`
            const isDoctor = wrong.call === "doctor"
            const own = yield* (isFresh ? freshly : steady)(isDoctor ? ended.stdout : ended.stderr)
            // Another server has a port of as many digits.
            const said = own.replace(/(127\.0\.0\.1:)\d{5}/g, (_, host: string) => `${host}48080`)
            // The address of a consent page is no part of the message.
            const message = said.slice(isDoctor ? said.indexOf("failed") : said.indexOf("error:")).trimEnd()
            expect.soft(ended.code, `${name}: ${message}`).toBe(expected)
            expect.soft(Transcripts.tooWide(message), name).toEqual([])
            expect.soft(message, name).toMatch(isDoctor ? /^failed {2}server/ : /^error: /)
            expect.soft(message, name).toMatch(nextStep)
            expect.soft(message, name).not.toMatch(/s3cret|hunter2|this is a bug|\/tmp\/|undefined/)
            rows.push([
              `${code(wrong.call)}${wrong.when === undefined ? "" : `<br>${cell(wrong.when)}`}`,
              String(ended.code),
              lines(message)
            ])
            count++
          }
          const [title, text] = sections[index] ?? []
          tables.push(`## ${title}\n\n${text}\n\n${table(rows)}`)
        }
        expect(count).toBeGreaterThanOrEqual(40)
        const page = `# Wrong calls

[The command line](cli.md) rejects these ${count} calls. Each message says what happened, and then what to do. Often it ends with the
command to run next. With \`--json\`, a message is one line of JSON.

${tables.join("\n\n")}
`
        yield* Effect.promise(() => expect(page).toMatchFileSnapshot(file))
      }),
    120_000
  )
})
