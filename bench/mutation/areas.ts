/** The parts of the library that are mutated, each with the tests that judge it. */

export interface Area {
  /** The mutated files, as globs. */
  readonly sources: ReadonlyArray<string>
  /** Files among them that are not mutated, and why. */
  readonly leftOut: { readonly [file: string]: string }
  readonly tests: ReadonlyArray<string>
  /** The share of mutants that the tests have to catch, in percent. */
  readonly threshold: number
}

const core = "packages/core"
const node = "packages/node-adapter"
const testing = "packages/testing"

const pages = "what it draws is judged in a browser"
const redis = "it is judged by a real Redis, which takes too long to start for each mutant"

export const areas = {
  machine: {
    sources: [`${core}/src/machine/*.ts`],
    leftOut: {},
    tests: [
      `${core}/test/machine/*.test.ts`,
      `${core}/test/docs.test.ts`,
      // The driver's promises, as a program sees them.
      `${core}/test/ZapierAuth{,.*}.test.ts`,
      `${core}/test/internal/{runtime,runtime.callers}.test.ts`
    ],
    threshold: 95
  },
  oauth: {
    sources: [`${core}/src/oauth/*.ts`, `${core}/src/internal/{applicationProblem,oauthError}.ts`],
    leftOut: {},
    tests: [`${core}/test/oauth/*.test.ts`, `${core}/test/internal/oauthError.test.ts`],
    threshold: 95
  },
  stores: {
    sources: [
      `${core}/src/store/*.ts`,
      `${core}/src/internal/sealing.ts`,
      `${node}/src/stores/*.ts`,
      `${node}/src/internal/{groupCommit,redis*,sql*}.ts`
    ],
    leftOut: {
      [`${node}/src/internal/redis{Cluster,Connection,Durability,Failure,Keys,KeyUse,Records,Scripts,Stores}.ts`]:
        redis,
      [`${node}/src/stores/RedisStores.ts`]: redis
    },
    tests: [
      `${core}/test/store/*.test.ts`,
      `${node}/test/stores/*.test.ts`,
      `${node}/test/internal/{groupCommit,sqlProblem}.test.ts`
    ],
    threshold: 88
  },
  connect: {
    sources: [`${node}/src/{ZapierConnect,ConnectTexts}.ts`, `${node}/src/internal/connect/*.ts`],
    leftOut: {},
    tests: [
      `${node}/test/ZapierConnect.test.ts`,
      `${node}/test/ZapierConnect.{answers,attacks,cookies,layers,life,options,pages,repeated,scopes,traces,whiteLabel}.test.ts`,
      `${node}/test/internal/connect/*.test.ts`
    ],
    threshold: 88
  },
  runtime: {
    sources: [
      `${core}/src/ZapierAuth.ts`,
      `${core}/src/internal/{bounded,callerChecks,clientIds,consents,eventHub,gate,repetition,runtime,whiteLabel,whiteLabelMode}.ts`
    ],
    leftOut: {},
    tests: [
      `${core}/test/ZapierAuth{,.*}.test.ts`,
      `${core}/test/{Adoption,Settings,WhiteLabel}.test.ts`,
      `${core}/test/internal/{eventHub,gate,runtime,runtime.callers}.test.ts`
    ],
    threshold: 88
  },
  client: {
    sources: [
      `${core}/src/ZapierHttpClient.ts`,
      `${core}/src/zapier/**/*.ts`,
      `${core}/src/internal/{api*,boundedBody,callErrors,callProblem,callSpan,neverSent,nextPage,ownResponse,quietTracer,retryPolicy,sendOnce,shows,target,textProblem,uriProblem,withoutCredentials}.ts`
    ],
    leftOut: {},
    tests: [
      `${core}/test/ZapierHttpClient{,.*}.test.ts`,
      `${core}/test/zapier/*.test.ts`,
      `${core}/test/{ZapierAuth.callers,oauth/ClientApplication}.test.ts`,
      `${core}/test/internal/{boundedBody,neverSent,shows}.test.ts`
    ],
    threshold: 88
  },
  fake: {
    sources: [`${testing}/src/fake/**/*.ts`],
    leftOut: { [`${testing}/src/fake/internal/pages/*.ts`]: pages },
    tests: [`${testing}/test/FakeZapier{,.*}.test.ts`, `${testing}/test/fake/**/*.test.ts`],
    threshold: 88
  },
  harness: {
    sources: [
      `${testing}/src/{Explorer,Invariants,Program,Scenario,Simulation}.ts`,
      `${testing}/src/{explorer,scenario,simulation}/**/*.ts`,
      `${testing}/src/internal/invariants/*.ts`
    ],
    leftOut: {},
    tests: [
      `${testing}/test/{Explorer,Invariants,Program,Scenario,ScenarioPromise,Simulation}.test.ts`,
      `${testing}/test/{explorer,scenario}/*.test.ts`
    ],
    threshold: 88
  }
} as const satisfies { readonly [name: string]: Area }
