/** The common interface of the two clients of a story: their environment, and their actions for one user. */
import type * as ZapierUrls from "@zapier-workflow-auth/core/zapier/ZapierUrls"

/** The environment of a client. Each process makes a new client. */
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
  /** Returns the URL where the user consents. */
  readonly authorizationUrl: () => Promise<string>
  /** Handles the URL that the user's browser comes back to. */
  readonly connect: (callback: string) => Promise<unknown>
  /** Calls the API once and returns the status of the response. Without a response, rejects with a `CallProblem`. */
  readonly call: () => Promise<number>
  /** True if the client has tokens that it would use. */
  readonly isConnected: () => Promise<boolean>
  /** Configures another secret. If absent, the client needs a restart. */
  readonly setSecret?: (clientSecret: string) => void
  /** Shuts the client down properly. If absent, the client waits for nothing. */
  readonly close?: () => Promise<void>
}
