/** The stories, as data. `tell` performs them, and describes the real outcome of each step. */
import type * as FakeFault from "@zapier-workflow-auth/testing/fake/FakeFault"
import type * as FakeState from "@zapier-workflow-auth/testing/fake/FakeState"

/** How a server treats a used refresh token. Zapier does not document which kind its server is. */
export type Server = "Strict" | "Lenient"

export const servers: {
  readonly [S in Server]: { readonly words: string; readonly settings: Partial<FakeState.Settings> }
} = {
  Strict: {
    words: "A refresh token works once. A second use ends the connection.",
    settings: { graceMillis: 0, reuseRevokesGrant: true }
  },
  Lenient: {
    words: "A used refresh token gives the same new tokens again for ten minutes.",
    settings: { graceMillis: 600_000 }
  }
}

export type Action =
  /** The user consents. */
  | { readonly _tag: "Connect" }
  | { readonly _tag: "TimePasses"; readonly minutes: number }
  /** Calls of each process, `secondsApart` from one to the next. */
  | { readonly _tag: "Call"; readonly count: number; readonly secondsApart?: number }
  /** Injects a fault into the next refresh. */
  | { readonly _tag: "Fault"; readonly fault: FakeFault.Fault }
  /** Calls, and ends the process while the response to its refresh is on its way. */
  | { readonly _tag: "KillDuringCall"; readonly signal: "SIGTERM" | "SIGKILL" }
  | { readonly _tag: "StartProcess" }
  | { readonly _tag: "RegenerateSecret" }
  /** Puts the new secret into the app's configuration. */
  | { readonly _tag: "ConfigureSecret" }

export interface Step {
  readonly action: Action
  readonly words: string
}

export interface Story {
  readonly title: string
  /** The introduction, shown before the story is played. */
  readonly lead: string
  readonly servers: ReadonlyArray<Server>
  /** How many processes the app has. Default: 1. */
  readonly processes?: number
  /** How long a caller waits for a token, in milliseconds. Default: the library's 20 seconds. */
  readonly patience?: number
  readonly steps: ReadonlyArray<Step>
  /** The conclusion. */
  readonly moral: string
}

const connect: Step = { action: { _tag: "Connect" }, words: "Ada connects Zapier." }

const tenHours: Step = {
  action: { _tag: "TimePasses", minutes: 601 },
  words: "Ten hours pass. The access token expires."
}

const call = (words: string): Step => ({ action: { _tag: "Call", count: 1 }, words })

const fault = (fault: FakeFault.Fault, words: string): Step => ({ action: { _tag: "Fault", fault }, words })

/** Ends the process in the middle of a refresh, and starts another. */
const restart = (signal: "SIGTERM" | "SIGKILL", how: string): ReadonlyArray<Step> => [
  fault({ _tag: "ResponseSlow", millis: 2_000 }, "Zapier will take 2 seconds to respond."),
  {
    action: { _tag: "KillDuringCall", signal },
    words: `The app calls the API. While its refresh is under way, the process is ${how}.`
  },
  { action: { _tag: "StartProcess" }, words: "A new process starts." }
]

export const stories: { readonly [name: string]: Story } = {
  hours: {
    title: "Ten hours later",
    lead: "An access token lives for ten hours. One call comes after it has expired.",
    servers: ["Strict"],
    steps: [
      connect,
      call("The app calls the API."),
      tenHours,
      call("The app calls again. It has to refresh the token first.")
    ],
    moral:
      "With one call at a time and no fault, code written by hand works as well. The other stories add one thing each."
  },
  fifty: {
    title: "50 calls at once",
    lead: "The token has expired, and a busy page makes 50 calls at the same moment.",
    servers: ["Strict"],
    steps: [
      connect,
      tenHours,
      { action: { _tag: "Call", count: 50 }, words: "The app makes 50 calls at once." },
      call("The app makes one more call.")
    ],
    moral:
      "The library sends one refresh, and all calls wait for it. Written by hand, each call refreshes, and a refresh token works once."
  },
  lost: {
    title: "The response is lost",
    lead: "Zapier replaces the tokens, and the connection breaks before its response arrives. Two kinds of server, side by side.",
    servers: ["Strict", "Lenient"],
    steps: [
      connect,
      fault({ _tag: "ResponseLost" }, "The response to the next refresh will be lost."),
      tenHours,
      call("The app calls the API."),
      call("The app calls again.")
    ],
    moral:
      "No client can save the connection on the strict server: the only copy of the new tokens is gone. On the lenient one, the library repeats the request while the call waits, so the call succeeds; written by hand, that call fails."
  },
  processes: {
    title: "Two processes",
    lead: "The app runs in two processes that share a database. Both get calls after the token has expired.",
    servers: ["Strict"],
    processes: 2,
    steps: [
      connect,
      tenHours,
      { action: { _tag: "Call", count: 5 }, words: "Each process makes 5 calls at once." },
      { action: { _tag: "Call", count: 1 }, words: "Each process makes one more call." }
    ],
    moral:
      "The library claims the refresh in the database before it sends it, so the other process waits. A lock in memory, the usual fix by hand, would not help here."
  },
  deployment: {
    title: "The process is killed",
    lead: "A deployment ends the process by SIGTERM in the middle of a refresh.",
    servers: ["Strict"],
    steps: [connect, tenHours, ...restart("SIGTERM", "asked to end"), call("The new process calls the API.")],
    moral:
      "The library's close() waits for the response and stores it before the process ends. The client written by hand has nothing to wait for, so its new tokens are lost with the process."
  },
  powerCut: {
    title: "The power fails",
    lead: "The process ends without notice in the middle of a refresh, as by kill -9. Two kinds of server, side by side.",
    servers: ["Strict", "Lenient"],
    steps: [
      connect,
      tenHours,
      ...restart("SIGKILL", "killed"),
      { action: { _tag: "TimePasses", minutes: 2 }, words: "Two minutes pass." },
      call("The new process calls the API.")
    ],
    moral:
      "No client can prevent this: what the process received or was about to receive is gone. On a strict server the user has to connect again. The library waits 90 seconds before it uses the old token again, because another process might still get the response."
  },
  secret: {
    title: "The secret is regenerated",
    lead: "Somebody regenerates the app's client secret at Zapier. The app learns of it later.",
    servers: ["Strict"],
    steps: [
      connect,
      {
        action: { _tag: "RegenerateSecret" },
        words: "The client secret is regenerated at Zapier. The app still has the old one."
      },
      tenHours,
      call("The app calls the API."),
      { action: { _tag: "ConfigureSecret" }, words: "The app's configuration gets the new secret." },
      call("The app calls again.")
    ],
    moral:
      "A wrong secret is the app's mistake and says nothing about the user. The library keeps the connection and reads the secret again. Code that treats every refused refresh as a lost connection asks all its users to connect again."
  },
  slow: {
    title: "A slow Zapier",
    lead: "Zapier takes 4 seconds to respond, and the user reloads the page after one. (Callers wait 2 seconds here, instead of 20.)",
    servers: ["Strict"],
    patience: 2_000,
    steps: [
      connect,
      fault({ _tag: "ResponseSlow", millis: 4_000 }, "Zapier will take 4 seconds to respond to the next refresh."),
      tenHours,
      {
        action: { _tag: "Call", count: 2, secondsApart: 1 },
        words: "The app calls the API. A second later, the user reloads the page, and the app calls again."
      },
      call("Zapier has responded meanwhile. The app calls once more.")
    ],
    moral:
      "The library never sends the same refresh twice while a response to the first may still come. Callers are told to retry, and the late response is stored."
  }
}
