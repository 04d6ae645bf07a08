/**
 * Flags that several commands have. What is secret is never a flag: other users of a machine see the arguments of its
 * processes.
 */
import * as Flag from "effect/cli/Flag"
import type * as Option from "effect/Option"

/** Where grants are kept, and the keys that encrypt them. `storage.ts` says what holds without them. */
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
      "The file with the encryption keys. Default: ZAPIER_KEY_FILE, or the one beside the embedded database"
    ),
    Flag.optional
  )
}

/** Which Zapier: the real one, or a fake. Where a fake is asked, its grants are kept apart: see `storage.ts`. */
export interface Server {
  readonly fake: Option.Option<string>
}

export const server = {
  fake: Flag.String("fake").pipe(
    Flag.withMetavar("URL"),
    Flag.withDescription(
      "Where a fake Zapier is, as the command fake prints it. Default: ZAPIER_FAKE, or the real Zapier"
    ),
    Flag.optional
  )
}

/** Which database is meant, and which keys: those of a fake are others. */
export interface Place extends Storage, Server {}

/** The client application. `application.ts` says what holds without them. */
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
      "A file with the client secret, or - for stdin. Default: ZAPIER_CLIENT_SECRET_FILE, ZAPIER_CLIENT_SECRET, or you are asked"
    ),
    Flag.optional
  )
}

/** A redirect URI that is meant, whatever is configured. */
export interface RedirectUri {
  readonly redirectUri: Option.Option<string>
}

/** All that a command needs to talk to Zapier. */
export interface Connection extends Place, Application {}

export const connection = { ...application, ...storage, ...server }

export const subject = Flag.String("subject").pipe(
  Flag.withAlias("s"),
  Flag.withMetavar("NAME"),
  Flag.withDescription("Whose grant: the app's own name for its user. Default: ZAPIER_SUBJECT, or me"),
  Flag.optional
)

export const scopes = (description: string) =>
  Flag.String("scope").pipe(
    Flag.withMetavar("SCOPE"),
    Flag.withDescription(`${description}; may be given several times`),
    Flag.atLeast(0)
  )

export const json = (description: string) =>
  Flag.Boolean("json").pipe(Flag.withDescription(description), Flag.withDefault(false))
