/**
 * `rotate-key` as others see it: its stages, their flags and help. What they do is in files of their own.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Flags from "./flags.ts"
import { lazily } from "./lazily.ts"

const begin = Command.make(
  "begin",
  { ...Flags.storage, ...Flags.server },
  lazily(async () => (await import("./run/rotateKeyFile.ts")).begin)
).pipe(
  Command.withDescription(
    `Adds a new key to the key file, at its end: it decrypts, and encrypts nothing yet. Run again, it adds no other.

  Then restart every process that uses the file, or a copy of it on another machine: each reads it once, when it starts.`
  ),
  Command.withShortDescription("Add a new key, which encrypts nothing yet"),
  Command.withExamples([
    { command: "zapier-workflow-auth rotate-key begin", description: "The key beside the embedded database" },
    {
      command: "zapier-workflow-auth rotate-key begin --key-file /etc/acme/zapier.key",
      description: "The key in a file somewhere else"
    }
  ])
)

const switching = Command.make(
  "switch",
  { ...Flags.storage, ...Flags.server },
  lazily(async () => (await import("./run/rotateKeyFile.ts")).switchOver)
).pipe(
  Command.withDescription(
    `Puts the new key first, so that it encrypts what is written from now on. Run again, it changes nothing.

  Before: every process must have been restarted after "begin". Then restart every process once more.`
  ),
  Command.withShortDescription("Let the new key encrypt"),
  Command.withExamples([{ command: "zapier-workflow-auth rotate-key switch" }])
)

const reencrypt = Command.make(
  "reencrypt",
  {
    ...Flags.storage,
    ...Flags.server,
    clientId: Flag.String("client-id").pipe(
      Flag.withMetavar("ID"),
      Flag.withDescription(
        "Only the grants of this client application: for a database that others share who have keys of their own. Default: all"
      ),
      Flag.optional
    ),
    includePlain: Flag.Boolean("include-plain").pipe(
      Flag.withDescription(
        "Also encrypt what is not encrypted yet, to turn encryption on. Only once, with all processes stopped: it trusts whoever wrote it. The key beside the embedded database is made if there is none"
      ),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the report as one line of JSON"),
      Flag.withDefault(false)
    )
  },
  lazily(async () => (await import("./run/reencrypt.ts")).reencrypt)
).pipe(
  Command.withDescription(
    `Encrypts each grant by the first key that is not yet. The app can run meanwhile. It can be interrupted at any moment and run again: what is done is passed over.

  Before: every process must have been restarted after "switch". Exits with 1 if a grant could not be encrypted anew, and says which and why; it is left as it is.`
  ),
  Command.withShortDescription("Encrypt every grant by the new key"),
  Command.withExamples([
    { command: "zapier-workflow-auth rotate-key reencrypt" },
    {
      command: "zapier-workflow-auth rotate-key reencrypt --json",
      description: "With keys from ZAPIER_ENCRYPTION_KEYS and a Postgres from ZAPIER_DATABASE_URL, as they are set"
    },
    {
      command: "zapier-workflow-auth rotate-key reencrypt --include-plain",
      description: "Turn encryption on"
    }
  ])
)

const finish = Command.make(
  "finish",
  { ...Flags.storage, ...Flags.server },
  lazily(async () => (await import("./run/rotateKeyFile.ts")).finish)
).pipe(
  Command.withDescription(
    `Drops the older keys from the key file, unless something in the database still needs one: a grant, or a consent that a user may still come back from. Those end within two hours of "switch".

  Before: every process must have been restarted after "switch". Copies of the database from before need the older keys: keep them for as long as such a copy.`
  ),
  Command.withShortDescription("Drop the older keys, once nothing needs them"),
  Command.withExamples([{ command: "zapier-workflow-auth rotate-key finish" }])
)

export const rotateKey = Command.make("rotate-key").pipe(
  Command.withDescription(
    `Replaces the key that encrypts stored tokens, while the app runs. In this order: begin, restart all processes, switch, restart them, reencrypt, finish.

  Each stage can be run again, and one that comes too early says so. Where the keys come from ZAPIER_ENCRYPTION_KEYS, you do what begin and switch would do, and they say what that is.`
  ),
  Command.withShortDescription("Replace the key that encrypts stored tokens"),
  Command.withSubcommands([begin, switching, reencrypt, finish])
)
