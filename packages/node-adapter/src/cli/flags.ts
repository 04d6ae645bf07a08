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
