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

Measured on ${date}, on ${machine}, with Node ${node}. Written by \`npm run bench -- docs\`, which measures all of it again in
about ten minutes; \`npm run bench -- <scenario>\` measures one. Machines differ, and a shared one is disturbed: counts
are exact, ratios hold, and rates are of this machine and this run. Each row of a table was measured in the same run, in turn
with the others.

${entries(versions)
  .map(([name, version]) => `${name} ${shown(version)}`)
  .join(", ")}.

## A thousand calls on one grant

${shown(at(peers, "calls"))} calls at once for one user. The server rotates on receipt, responds to a token request after 50 ms, and
refuses a refresh token that was used. It counts token requests. One is the ideal, and no call has to fail.

**The token has expired, and the client knows it**, in one process:

${countTable(at(peers, "storm"))}

**The same in ${shown(at(peers, "processCount"))} processes** that share a store:

![Calls that fail, in ${shown(at(peers, "processCount"))} processes](benchmarks/processes.svg)

${countTable(at(peers, "processes"))}

**The token was ended early**: the API responds 401, over ${shown(at(peers, "spreadMillis"))} ms. A late 401, for a token that was
replaced meanwhile, must not renew it again.

${countTable(at(peers, "late-401"))}

simple-oauth2, openid-client and arctic leave it to the app to renew one token at a time, and to try again after a 401; this is
what happens to one that does neither. @azure/msal-node is not among them: it adds \`openid\`, \`profile\` and
\`offline_access\` to the scopes of each refresh, and more than was granted is refused (RFC 6749 section 6). Zapier's own \`@zapier/zapier-sdk\` is not
among them either: its latest version, 0.112.3, depends on \`@zapier/kitcore\`, which the npm registry does not have, so it cannot
be installed. \`npm run bench -- storm\` does it with ${shown(at(storm, "rounds", "0", "calls"))} calls:
${shown(at(storm, "rounds", "0", "tokenRequests"))} token request, ${shown(at(storm, "rounds", "0", "failedCalls"))} failed.

## A thousand calls as the app itself

The same server, and ${shown(at(peers, "calls"))} calls at once of an app that has no token yet. arctic and google-auth-library
have no client credentials.

${countTable(at(peers, "app-storm"))}

simple-oauth2 and openid-client leave it to the app to keep its token and to ask once at a time; this is what happens to one
that does only the former. @azure/msal-node keeps it, but does not wait for a request that is under way.

## What a call costs

An authorized call against one with a constant bearer header, through the same Effect \`HttpClient\` and an API in memory:
**${shown(at(overhead, "ratio"))}** times the time without spans (at most ${shown(at(overhead, "bound"))}), which is
${shown(at(overhead, "configurations", "untraced", "addedMicros", "as"))} µs more than
${shown(at(overhead, "configurations", "untraced", "baselineMicros"))} µs. With spans on both sides it is
${shown(at(overhead, "tracedRatio"))}.

Over loopback, one call after the other while the token is good, each client in a process of its own:

${table(
  ["client", "µs a call"],
  entries(at(peers, "microsPerCall")).map(([client, micros]) => [client, spread(micros)])
)}

## What a login costs

From the callback to the tokens, over a token endpoint that is a function of the same process.

${table(
  ["client", "exchanges a second"],
  entries(at(exchange, "perSecond")).map(([client, rates]) => [client, spread(rates)])
)}

This library looks up its consent attempt, spends it, and stores the grant, each by compare-and-set; it cuts the request off in
time, counts it, and traces it. The others leave all of that to the app. We meant to reach half of openid-client's rate, and
are at ${shown(at(exchange, "openidRatio"))}: one request through Effect's own client, with nothing around it, is the second row,
and the rest is spread over what was just listed: left out by themselves, the two spans gave back an eighth of the time, the
timeout a tenth, and the metrics nothing that could be measured. A user logs in once, and waits for Zapier a thousand times longer.

## What it weighs

A bundle for browsers and workers, minified and gzipped, in kB.

![Sizes of bundles](benchmarks/bundle.svg)

${table(
  ["bundle", "kB"],
  [
    ["this library's code alone, all three modes", at(bundle, "kilobytes", "own")],
    ["this library's code alone, everything in the index", at(bundle, "kilobytes", "index")],
    ["all three modes, with what they use of Effect", at(bundle, "kilobytes", "whole")],
    ["the same, with stores that keep records", at(bundle, "kilobytes", "stored")],
    ["only calls for users, with what they use of Effect", at(bundle, "kilobytes", "calls")],
    ["the smallest Effect program that asks for one token", at(bundle, "kilobytes", "baseline")],
    ...entries(at(bundle, "peers"))
  ]
)}

The program with all three modes connects a user, handles the callback, and calls as a user, as the app and with the
client id, with stores in memory. Of its bytes ${shown(at(bundle, "sharesOfWhole", "ours"))} % are this library,
${shown(at(bundle, "sharesOfWhole", "alike"))} % are parts of Effect that the smallest program has too, and
${shown(at(bundle, "sharesOfWhole", "more"))} % are more of Effect: its Schema for typed errors, metrics, schedules,
dates, and secure randomness. A program built on Effect already has most of both. Of this library's code, in percent:

${table(["part", "%"], entries(at(bundle, "partsOfOwn")))}

## What it takes to import

The packages as they are published, in processes that have just begun, milliseconds and megabytes of heap. The core takes
**${shown(at(reports["import"], "ratio"))}** times what the ${shown(at(reports["import"], "effectModules"))} modules of Effect take by themselves that it loads (at most
${shown(at(reports["import"], "bound"))}), and \`ZapierNode\` **${shown(at(reports["import"], "nodeRatio"))}** times what those take that it loads (at most ${shown(at(reports["import"], "nodeBound"))}), by the least time of the processor of each. What is over 1 is nearly all the reading of their files, which are
many and small: what they do while they are loaded takes 6 ms in all.

${table(
  ["import", "milliseconds", "megabytes"],
  entries(imports).map(([name, of]) => [name, spread(at(of, "millis")), spread(at(of, "megabytes"))])
)}

\`zapier-workflow-auth token\`, a whole process with a token that is still good, takes ${shown(at(commandStart, "ratio"))} times what
Node takes to load \`effect/Effect\`: ${spread(at(commandStart, "millis", "token"))} ms.

## The fake

Complete flows a second over HTTP on one machine, one after the other: authorization where nobody is asked, exchange, a call, a
refresh. oauth2-mock-server signs with EdDSA, its fastest.

![Flows a second](benchmarks/fake.svg)

${table(["server", "flows a second"], entries(at(fakeFlows, "flowsPerSecond")))}

**${shown(at(fakeFlows, "ratio"))}** times the faster of the others. Over ${shown(at(fakeFlows, "flows"))} flows the last tenth ran at
${shown(at(fakeFlows, "flatness"))} of the first one's rate. A live grant takes ${shown(at(fakeFlows, "bytesPerGrant"))} bytes.
In process, through Effect's \`HttpClient\`, it is ${entries(at(fakeFlows, "flowsPerSecondInProcess"))
    .map(([name, rate]) => `${shown(rate)} (${name})`)
    .join(
      " against "
    )} flows a second, where the stub is written by hand and always responds the same; the pure machine by
itself goes through ${shown(at(fakeFlows, "flowsPerSecondOfMachine"))}.

## What is not reached, and why

Measured on a machine that others kept busy, in alternating runs:

- **Many expired grants at once, SQLite.** Writes that arrive together share one commit: 2,000 writes took 16 commits. A
  thousand refreshes in one process ran 2.1, 4.3 and 8.1 times as fast as with one commit for each write. Now the processor
  is the limit, at about 1.1 ms a refresh. The same reads, writes and requests without the library gain more, so the
  library runs at 0.36 to 0.51 of their rate; it was 0.71 to 0.96 while both waited for the disk. In a profile, most of
  the time is garbage collection and Effect's fibers, then SQLite.
- **The same on Postgres**: 0.70 of the rate without the library in one process, 0.66 in four. We meant to reach 0.92 and 0.80.
- **A login.** Ending at once without a timer, building schedules after a failure only, and capturing no stacks in spans
  took it to 0.88 to 0.97 of its processor time. We meant to reach 0.30 of one bare request.
- **A bundle.** We meant to reach 20 kB of our own code, 66 kB with Effect, and 62 kB for a program that only calls. The
  logic alone is more than 20 kB: without any text, the code of all three modes is 25 kB. A program that only calls has the
  consents and the app's token too, about 4 kB, because \`ZapierAuth\` is one service; two layers would be more to learn.
  The 26 errors are classes of Effect's Schema, which is 14 kB here. Plain classes would avoid it only in programs that keep
  nothing: every store that keeps records reads them with Schema.

## What a store carries

[Scaling](scaling.md) has a million grants in SQLite and in Postgres.
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
        title: "Complete flows a second",
        bars: entries(at(fakeFlows, "flowsPerSecond")).map(([name, rate]) => [name, Number(rate)])
      })
    }
  }
}
