import type { Key } from "@zapier-workflow-auth/core/store/GrantStore"
import * as Flags from "../flags.ts"
import { command, shown } from "../shown.ts"

/** A stage as it is typed, for the same database and key file. */
export const stageCommand = (stage: "begin" | "switch" | "reencrypt" | "finish", flags: Flags.Place): string =>
  command(`rotate-key ${stage}`, Flags.typed(flags))

/** A connection for people: its user and the client application. */
export const grantName = ({ clientId, subject }: Key): string => `${shown(subject)} of ${shown(clientId)}`
