import type { Key } from "@zapier-workflow-auth/core/GrantStore"
import * as Option from "effect/Option"
import { quote } from "../../internal/privateFile.ts"
import type * as Flags from "../flags.ts"

const flag = (name: string, value: Option.Option<string>) =>
  Option.toArray(Option.map(value, (path) => ` --${name} ${quote(path)}`))

/** A stage as it is typed, about the same database and key file. */
export const stageCommand = (stage: "begin" | "switch" | "reencrypt" | "finish", flags: Flags.Storage): string =>
  [
    `  zapier-workflow-auth rotate-key ${stage}`,
    ...flag("data-directory", flags.dataDirectory),
    ...flag("key-file", flags.keyFile)
  ].join("")

// Subjects come from anywhere. What could move the cursor of a terminal, or the direction of the text, is shown as its code.
const control = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A text from anywhere, for people. */
export const shown = (text: string): string =>
  JSON.stringify(text).replace(control, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** A grant for people: its subject, and the client application. */
export const grantName = ({ clientId, subject }: Key): string => `${shown(subject)} of ${shown(clientId)}`
