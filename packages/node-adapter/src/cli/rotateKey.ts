/** The stages of `rotate-key`, their flags and help. */
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
    `Adds a new key at the end of the key file. It can decrypt, and encrypts nothing yet. Running it again adds no other key.

Then restart every process that uses the file, or a copy of it on another machine: a process reads it once, when it starts.`
  ),
  Command.withShortDescription("Add a new key, which encrypts nothing yet"),
  Command.withExamples([
    { command: "zapier-workflow-auth rotate-key begin", description: "The key beside the embedded database" },
    {
      command: "zapier-workflow-auth rotate-key begin --key-file /etc/acme/zapier.key",
      description: "A key file elsewhere"
    }
  ])
)

const switching = Command.make(
  "switch",
  { ...Flags.storage, ...Flags.server },
  lazily(async () => (await import("./run/rotateKeyFile.ts")).switchOver)
).pipe(
  Command.withDescription(
    `Puts the new key first: it encrypts everything that is written from now on. Running it again changes nothing.

Before: restart every process after "begin". Afterwards: restart every process once more.`
  ),
  Command.withShortDescription("Encrypt with the new key from now on"),
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
        "Only connections of this client application, if others with their own keys share the database. Default: all"
      ),
      Flag.optional
    ),
    includePlain: Flag.Boolean("include-plain").pipe(
      Flag.withDescription(
        "Turn encryption on: encrypt plain records, too. Do it once, with all processes stopped, because it trusts every plain record. Creates the key beside the embedded database if there is none"
      ),
      Flag.withDefault(false)
    )
  },
  lazily(async () => (await import("./run/reencrypt.ts")).reencrypt)
).pipe(
  Command.withDescription(
    `Encrypts every connection with the first key. The app can run meanwhile. You can interrupt it at any moment and run it again: it skips the connections that are done.

Before: restart every process after "switch". The exit code is 1 if a connection could not be encrypted; it is reported, and stays unchanged.`
  ),
  Command.withShortDescription("Encrypt every connection with the new key"),
  Command.withExamples([
    { command: "zapier-workflow-auth rotate-key reencrypt" },
    {
      command: "zapier-workflow-auth rotate-key reencrypt --json",
      description: "With the keys and the database of the environment, as JSON"
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
    `Removes the older keys from the key file, unless a connection or an unfinished login still needs one. Logins expire within two hours of "switch".

Before: restart every process after "switch". Older copies of the database need the older keys: keep those keys as long as you keep the copies.`
  ),
  Command.withShortDescription("Remove the older keys, once nothing needs them"),
  Command.withExamples([{ command: "zapier-workflow-auth rotate-key finish" }])
)

export const rotateKey = Command.make("rotate-key").pipe(
  Command.withDescription(
    `Replaces the key that encrypts stored tokens, while the app runs. In this order: begin, restart all processes, switch, restart them, reencrypt, finish.

Each stage can be run again. If you run a stage too early, it says so. If the keys come from ZAPIER_ENCRYPTION_KEYS, begin and switch tell you what to change there.`
  ),
  Command.withShortDescription("Replace the key that encrypts stored tokens"),
  Command.withSubcommands([begin, switching, reencrypt, finish])
)
