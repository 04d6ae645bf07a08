/** The common interface of the two clients of a story: their place, and their actions for one user. */
import type * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"

/** Where a client is. It is made anew with each process. */
export interface Place {
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUri: string
  readonly urls: ZapierUrls.Urls
  /** A folder that processes share, which stands for the app's database. */
  readonly directory: string
  /** How long a caller waits for a token, in milliseconds. Default: the client's own. */
  readonly patience: number | undefined
}

/** Why a call has no response. */
export interface CallProblem {
  readonly message: string
  /** True if the client says that a retry may succeed. Default: false. */
  readonly isRetryable?: boolean
}

export interface Client {
  /** Where the user consents. */
  readonly authorizationUrl: () => Promise<string>
  /** Handles the URL that the user's browser comes back to. */
  readonly connect: (callback: string) => Promise<unknown>
  /** Calls the API once and gives the status of the response. Rejects when there is none, with a `CallProblem`. */
  readonly call: () => Promise<number>
  /** True if it holds tokens that it would use. */
  readonly isConnected: () => Promise<boolean>
  /** Gives it another secret, as from its configuration. Absent: it needs a restart. */
  readonly setSecret?: (clientSecret: string) => void
  /** Ends it in order. Absent: it has nothing to wait for. */
  readonly close?: () => Promise<void>
}
