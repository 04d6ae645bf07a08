/**
 * Flags that several commands share. A secret is never a flag: other users of a machine see the arguments of its processes.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"

/** The database and its encryption keys. `storage.ts` has the defaults. */
export interface Storage {
  readonly dataDirectory: Option.Option<string>
  readonly keyFile: Option.Option<string>
}

export const storage = {
  dataDirectory: Flag.String("data-directory").pipe(
    Flag.withMetavar("PATH"),
    Flag.withDescription(
      "The folder of the embedded database. Default: ZAPIER_DATA_DIRECTORY, or the user's data directory"
    ),
    Flag.optional
  ),
  keyFile: Flag.String("key-file").pipe(
    Flag.withMetavar("PATH"),
    Flag.withDescription(
      "The file with the encryption keys. Default: ZAPIER_KEY_FILE, or the file beside the database"
    ),
    Flag.optional
  )
}

/** The real Zapier, or a fake. Connections of a fake are stored apart: see `storage.ts`. */
export interface Server {
  readonly fake: Option.Option<string>
}

export const server = {
  fake: Flag.String("fake").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription(
      'Use the fake Zapier at this address, which "zapier-workflow-auth fake" prints. Default: ZAPIER_FAKE, or the real Zapier'
    ),
    Flag.optional
  )
}

/** The database and keys, which a fake has of its own. */
export interface Place extends Storage, Server {}

/** The flags that name the same database and keys in another command. */
export const typed = ({ dataDirectory, fake, keyFile }: Place) => ({
  "data-directory": Option.getOrUndefined(dataDirectory),
  "key-file": Option.getOrUndefined(keyFile),
  fake: Option.getOrUndefined(fake)
})

/** The client application. `application.ts` has the defaults. */
export interface Application {
  readonly clientId: Option.Option<string>
  readonly clientSecretFile: Option.Option<string>
}

const application = {
  clientId: Flag.String("client-id").pipe(
    Flag.withMetavar("ID"),
    Flag.withDescription("The client id. Default: ZAPIER_CLIENT_ID"),
    Flag.optional
  ),
  clientSecretFile: Flag.String("client-secret-file").pipe(
    Flag.withMetavar("PATH"),
    Flag.withDescription(
      "A file that holds the client secret, or - for stdin. Default: ZAPIER_CLIENT_SECRET_FILE, ZAPIER_CLIENT_SECRET, or a prompt"
    ),
    Flag.optional
  )
}

/** The redirect URI of one login. */
export interface RedirectUri {
  readonly redirectUri: Option.Option<string>
}

/** Everything that a command needs to talk to Zapier. */
export interface Connection extends Place, Application {}

export const connection = { ...application, ...storage, ...server }

export const subject = Flag.String("subject").pipe(
  Flag.withAlias("s"),
  Flag.withMetavar("NAME"),
  Flag.withDescription("The user, by your app's own name or id. Default: ZAPIER_SUBJECT, or me"),
  Flag.optional
)

export const scopes = (description: string) =>
  Flag.String("scope").pipe(
    Flag.withMetavar("SCOPE"),
    Flag.withDescription(`${description} Repeat it for several`),
    Flag.atLeast(0)
  )
