import type { Key } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Option from "effect/Option"
import type * as Flags from "../flags.ts"
import { shown, typed } from "../shown.ts"

const flag = (name: string, value: Option.Option<string>) =>
  Option.toArray(Option.map(value, (path) => ` --${name} ${typed(path)}`))

/** A stage as it is typed, about the same database and key file. */
export const stageCommand = (stage: "begin" | "switch" | "reencrypt" | "finish", flags: Flags.Place): string =>
  [
    `  zapier-workflow-auth rotate-key ${stage}`,
    ...flag("data-directory", flags.dataDirectory),
    ...flag("key-file", flags.keyFile),
    ...flag("fake", flags.fake)
  ].join("")

/** A grant for people: its subject, and the client application. */
export const grantName = ({ clientId, subject }: Key): string => `${shown(subject)} of ${shown(clientId)}`
