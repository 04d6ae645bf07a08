import { expect, it } from "@effect/vitest"
import * as GrantStore from "@zapier-workflow-auth/core/store/GrantStore"
import * as RecordCodec from "@zapier-workflow-auth/core/store/RecordCodec"
import * as GrantStoreLaws from "@zapier-workflow-auth/testing/GrantStoreLaws"
import * as Program from "@zapier-workflow-auth/testing/Program"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"

// The store under test: texts by key, sorted by subject, with a version that only grows.
const make = (): GrantStore.GrantStore["Service"] => {
  const rows = new Map<string, { readonly key: GrantStore.Key; readonly version: number; readonly text: string }>()
  let version = 0
  const idOf = ({ clientId, subject }: GrantStore.Key) => JSON.stringify([clientId, subject])
  const read = (id: string) =>
    Option.map(Option.fromUndefinedOr(rows.get(id)), ({ text, version }) => ({
      version,
      value: Option.getOrThrow(RecordCodec.grant.decode(text))
    }))
  return {
    get: (key) => Effect.sync(() => read(idOf(key))),
    compareAndSet: (key, expected, grant) =>
      Effect.sync(() => {
        if (rows.get(idOf(key))?.version !== Option.getOrUndefined(expected)) return false
        rows.set(idOf(key), { key, version: ++version, text: RecordCodec.grant.encode(grant) })
        return true
      }),
    remove: (key, expected) => Effect.sync(() => rows.get(idOf(key))?.version === expected && rows.delete(idOf(key))),
    page: ({ after, clientId, limit, prefix = "", state }) =>
      Effect.sync(() => {
        const found = [...rows.values()]
          .filter(({ key }) => key.clientId === clientId && key.subject.startsWith(prefix))
          .filter(({ key }) => after === undefined || key.subject > after)
          .map(({ key }) => ({ key, grant: Option.getOrThrow(read(idOf(key))) }))
          .filter(({ grant }) => state === undefined || grant.value._tag === state)
          .sort((a, b) => (a.key.subject < b.key.subject ? -1 : 1))
        const entries = found.slice(0, Math.max(1, limit))
        return { entries, next: found.length > entries.length ? entries.at(-1)?.key.subject : undefined }
      })
  }
}

// A store that keeps its data when it is closed also has to pass `GrantStoreLaws.persistent`.
for (const { check, name } of GrantStoreLaws.all) {
  it.effect(name, () => check(Layer.sync(GrantStore.GrantStore, make), { runs: 20 }))
}

// Three processes of the library over the store, with crashes, pauses and lost responses.
it.effect.prop(
  "loses no grant that could be saved",
  { program: Program.arbitrary },
  ({ program }) =>
    Effect.gen(function* () {
      const report = yield* Program.run(program, { store: make })
      expect(report.violations).toEqual([])
      expect(report.needless).toBe(0)
    }),
  { arbitrary: { runs: 30, size: 30 } }
)
