/** Writes `docs/benchmarks.md` from the results alone. */
import * as Chart from "./chart.ts"

type Json = { readonly [member: string]: unknown }

export interface Results {
  readonly date: string
  readonly machine: string
  readonly node: string
  readonly versions: { readonly [name: string]: string }
  /** The report of each scenario, by name. */
  readonly reports: { readonly [scenario: string]: Json }
}

export interface Page {
  readonly text: string
  /** Pictures, by file name. */
  readonly charts: { readonly [file: string]: Promise<string> }
}

const at = (json: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>((value, member) => (value as Json | undefined)?.[member], json)

const shown = (value: unknown): string =>
  typeof value === "number" ? value.toLocaleString("en") : typeof value === "string" ? value : "–"

const entries = (json: unknown): ReadonlyArray<readonly [string, unknown]> => Object.entries((json ?? {}) as Json)

const table = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<unknown>>) =>
  [head, head.map((_, index) => (index === 0 ? "---" : "---:")), ...rows]
    .map((cells) => `| ${cells.map(shown).join(" | ")} |`)
    .join("\n")

const spread = (value: unknown) =>
  `${shown(at(value, "median"))} (${shown(at(value, "least"))}–${shown(at(value, "most"))})`

const counts = (peers: unknown) =>
  entries(peers).map(([peer, of]) => [peer, at(of, "tokenRequests"), at(of, "failedCalls")])

const countTable = (peers: unknown) => table(["client", "token requests", "failed calls"], counts(peers))

export const page = ({ date, machine, node, reports, versions }: Results): Page => {
  const { bundle, exchange, overhead, peers, storm } = reports
  const commandStart = reports["command-start"]
  const fakeFlows = reports["fake-flows"]
  const imports = at(reports["import"], "imports")
  const text = `# Benchmarks

These figures were measured on ${date}, on ${machine}, with Node ${node}. \`npm run bench -- docs\` measures them again in about
ten minutes and writes this page. \`npm run bench -- <scenario>\` measures one scenario. The machine was shared with other
programs. Counts do not depend on the machine, ratios depend on it little, and times and rates depend on it. The rows of a
table were measured in the same run, in turns.

Versions: ${entries(versions)
    .map(([name, version]) => `${name} ${shown(version)}`)
    .join(", ")}.

## A thousand calls on one grant

${shown(at(peers, "calls"))} calls are made at once for one user. The server rotates a refresh token as soon as it receives it, responds to a token request
after 50 ms, refuses used refresh tokens, and counts token requests. The ideal is one token request and no failed call.

**The token has expired, and the client knows it**, in one process:

${countTable(at(peers, "storm"))}

**The same calls, from ${shown(at(peers, "processCount"))} processes** that share a store:

![Calls that fail, in ${shown(at(peers, "processCount"))} processes](benchmarks/processes.svg)

${countTable(at(peers, "processes"))}

**The API rejects the token before it expires.** The 401 responses arrive over ${shown(at(peers, "spreadMillis"))} ms. A late 401 is for a token that has
already been replaced, and must not cause another refresh.

${countTable(at(peers, "late-401"))}

simple-oauth2, openid-client and arctic expect the app to serialize refreshes, and to retry after a 401. The tables show an app
that does neither. @azure/msal-node is missing, because it adds \`openid\`, \`profile\` and \`offline_access\` to the scopes of each
refresh, and a server refuses scopes that were not granted (RFC 6749 section 6).
Zapier's own \`@zapier/zapier-sdk\` is missing too: its latest version, 0.112.3, cannot be installed, because it depends on
\`@zapier/kitcore\`, which is not in the npm registry.

\`npm run bench -- storm\` makes ${shown(at(storm, "rounds", "0", "calls"))} calls with this library. The result: ${shown(at(storm, "rounds", "0", "tokenRequests"))} token request, and ${shown(at(storm, "rounds", "0", "failedCalls"))} failed calls.

## A thousand calls as the app itself

An app without a token makes ${shown(at(peers, "calls"))} calls at once to the same server. arctic and google-auth-library do not support client
credentials.

${countTable(at(peers, "app-storm"))}

simple-oauth2 and openid-client expect the app to keep its token, and to request it only once at a time. The table shows an app
that only keeps its token. @azure/msal-node keeps the token itself, but does not wait for a request that is under way.

## What a call costs

This benchmark compares an authorized call with a call that has a constant bearer header. Both use the same \`HttpClient\` of
Effect and an API in memory. Without spans, the authorized call takes **${shown(at(overhead, "ratio"))}** times as long (the limit is ${shown(at(overhead, "bound"))}): ${shown(at(overhead, "configurations", "untraced", "addedMicros", "as"))} µs more
than ${shown(at(overhead, "configurations", "untraced", "baselineMicros"))} µs. With spans for both calls, the ratio is ${shown(at(overhead, "tracedRatio"))}.

The next table shows calls over the loopback interface, one after another, with a valid token. Each client runs in its own
process. A figure is the median, with the least and the most in brackets.

${table(
  ["client", "µs per call"],
  entries(at(peers, "microsPerCall")).map(([client, micros]) => [client, spread(micros)])
)}

## What a login costs

A login is measured from the callback to the tokens. The token endpoint is a function in the same process.

${table(
  ["client", "exchanges per second"],
  entries(at(exchange, "perSecond")).map(([client, rates]) => [client, spread(rates)])
)}

During a login, this library reads and updates the consent attempt and stores the grant, with compare-and-set. It also limits
the time of the request, counts it, and traces it. The other clients leave all of this to the app. Our goal was half of
openid-client's rate, and we reached ${shown(at(exchange, "openidRatio"))} of it. The second row shows the limit: one request with Effect's own client and
nothing else. Without the two spans, a login takes an eighth less time, and without the timeout a tenth less. The metrics cost
no measurable time. A user logs in once, and waits for Zapier a thousand times longer.

## Bundle size

These are sizes of bundles for browsers and workers, minified and gzipped, in kB.

![Sizes of bundles](benchmarks/bundle.svg)

${table(
  ["bundle", "kB"],
  [
    ["this library's own code, all three modes", at(bundle, "kilobytes", "own")],
    ["this library's own code, everything that the index exports", at(bundle, "kilobytes", "index")],
    ["all three modes, and the parts of Effect that they use", at(bundle, "kilobytes", "whole")],
    ["the same, with stores that keep records", at(bundle, "kilobytes", "stored")],
    ["only calls for users, and the parts of Effect that they use", at(bundle, "kilobytes", "calls")],
    ["the smallest Effect program that requests a token", at(bundle, "kilobytes", "baseline")],
    ...entries(at(bundle, "peers"))
  ]
)}

The program with all three modes connects a user, handles the callback, and calls as a user, as the app and with the
client ID. Its stores are in memory. ${shown(at(bundle, "sharesOfWhole", "ours"))} % of its bytes are our own code. ${shown(at(bundle, "sharesOfWhole", "alike"))} % is code that the smallest Effect program
contains, too. The remaining ${shown(at(bundle, "sharesOfWhole", "more"))} % are other parts of Effect: schemas for typed errors, metrics, schedules, dates, and secure
randomness. A program that uses Effect contains most of these parts anyway. This table shows the parts of our own code, in
percent:

${table(["part", "%"], entries(at(bundle, "partsOfOwn")))}

## Import time

The published packages are imported in new processes. The table shows the time in milliseconds and the heap in megabytes. The
core loads ${shown(at(reports["import"], "effectModules"))} modules of Effect. Importing the core takes **${shown(at(reports["import"], "ratio"))}** times the processor time of importing these modules alone (the
limit is ${shown(at(reports["import"], "bound"))}). For \`ZapierNode\`, the ratio is **${shown(at(reports["import"], "nodeRatio"))}** (the limit is ${shown(at(reports["import"], "nodeBound"))}). Each figure uses the least time of several
runs. Nearly all of the additional time is spent reading many small files. Running the modules takes 6 ms.

${table(
  ["import", "milliseconds", "megabytes"],
  entries(imports).map(([name, of]) => [name, spread(at(of, "millis")), spread(at(of, "megabytes"))])
)}

The command \`zapier-workflow-auth token\`, with a valid token in the store, takes ${spread(at(commandStart, "millis", "token"))} ms. That is ${shown(at(commandStart, "ratio"))} times
as long as Node takes to load \`effect/Effect\`.

## The fake

This benchmark counts complete flows per second, over HTTP on one machine, one after another. A flow is an authorization without
a consent page, an exchange, a call, and a refresh. oauth2-mock-server signs with EdDSA, its fastest algorithm.

![Flows per second](benchmarks/fake.svg)

${table(["server", "flows per second"], entries(at(fakeFlows, "flowsPerSecond")))}

The fake is **${shown(at(fakeFlows, "ratio"))}** times as fast as the faster of the other two. Over ${shown(at(fakeFlows, "flows"))} flows, the last tenth ran at ${shown(at(fakeFlows, "flatness"))} of the
first tenth's rate. A live grant needs ${shown(at(fakeFlows, "bytesPerGrant"))} bytes.

In the same process, through Effect's \`HttpClient\`, the fake runs ${shown(at(fakeFlows, "flowsPerSecondInProcess", "fake in process"))} flows per second. A stub written by hand, whose responses are
constant, runs ${shown(at(fakeFlows, "flowsPerSecondInProcess", "stub"))}. The fake's state machine alone runs ${shown(at(fakeFlows, "flowsPerSecondOfMachine"))}.

## Goals that we missed

These ratios were measured in alternating runs, on a busy machine.

- **Many expired grants at once, in SQLite.** Writes that arrive together share one commit: 2,000 writes needed 16 commits.
  Compared with one commit per write, a thousand refreshes in one process ran 2.1, 4.3 and 8.1 times as fast in three runs. The
  limit is now the processor, at about 1.1 ms per refresh. The same reads, writes and requests without the library gained even
  more, so the library now runs at 0.36 to 0.51 of their rate. When both waited for the disk, it was 0.71 to 0.96. A profile
  shows that garbage collection and Effect's fibers take most of the time, followed by SQLite.
- **Many expired grants at once, in Postgres.** The library runs at 0.70 of the rate without it in one process, and at 0.66 in
  four processes. The goals were 0.92 and 0.80.
- **A refresh**, without a database. It takes 0.85 of the processor time that it took before: spans begin only where a tracer
  records them, no unused error captures a stack, and a fixed application is read without a fiber. In a profile before these
  changes, no function of the library took 4 % of the time, and garbage collection took 13 %.
- **A login.** Three changes reduced its processor time to 0.88 to 0.97 of the time before: the library sets no timer for work
  that ends at once, builds schedules only after a failure, and captures no stacks in spans. The
  changes to a refresh reduced it again, to 0.82 to 0.88. The goal was 0.30 of the rate of one bare request.
- **A bundle.** The goals were 20 kB of our own code, 66 kB with Effect, and 62 kB for a program that only calls. The code of
  all three modes needs 25 kB without any text. A program that only calls also contains consents and the app's token, about
  4 kB, because \`ZapierAuth\` is one service; two layers would be more to learn. The 26 errors are classes of Effect's
  Schema, which needs 14 kB here. Plain classes would save it only in programs that keep no records, because every store
  reads its records with Schema.

[Scaling](scaling.md) has figures for a million grants in SQLite and in Postgres.
`
  return {
    text,
    charts: {
      "processes.svg": Chart.bars({
        title: "Calls of 1,000 that fail, in four processes that share a store",
        bars: counts(at(peers, "processes")).map(([name, , failed]) => [String(name), Number(failed)])
      }),
      "bundle.svg": Chart.bars({
        title: "kB, minified and gzipped",
        bars: [
          ["three modes, alone", Number(at(bundle, "kilobytes", "own"))],
          ["three modes, with Effect", Number(at(bundle, "kilobytes", "whole"))],
          ["one request in Effect", Number(at(bundle, "kilobytes", "baseline"))],
          ...entries(at(bundle, "peers")).map(([name, size]) => [name, Number(size)] as const)
        ]
      }),
      "fake.svg": Chart.bars({
        title: "Complete flows per second",
        bars: entries(at(fakeFlows, "flowsPerSecond")).map(([name, rate]) => [name, Number(rate)])
      })
    }
  }
}
