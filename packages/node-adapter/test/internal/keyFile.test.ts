import { describe, expect, it } from "@effect/vitest"
import * as KeyFile from "../../src/internal/keyFile.ts"

const single = "# Acme's keys\n\nold\n# the end\n"

describe("keyFile: text", () => {
  it("has a key a line, and comments", () => {
    for (const text of ["a\nb", "a\r\nb\r\n", " a # made today\n\n  # or so\nb#\n", "#\n#\na\n\n\nb"]) {
      expect(KeyFile.keysOf(text)).toEqual(["a", "b"])
    }
    for (const text of ["", "\n", "# a", " \n#\n"]) expect(KeyFile.keysOf(text)).toEqual([])
  })

  it("tells the stage, also where people wrote it", () => {
    expect(KeyFile.stageOf("a")).toBe("Single")
    expect(KeyFile.stageOf("a # made next week")).toBe("Single")
    expect(KeyFile.stageOf("a\nb")).toBe("Switched")
    expect(KeyFile.stageOf("a\nb #next")).toBe("Begun")
    expect(KeyFile.stageOf("a\nb # nextcloud")).toBe("Switched")
    // Whoever removes the older key by hand is not done before the new one is marked as the one that encrypts.
    expect(KeyFile.stageOf("b # next, made 2026-11-25")).toBe("Begun")
    expect(KeyFile.switched("b # next, made 2026-11-25")).toBe("b # made 2026-11-25\n")
  })
})

describe("keyFile: a replacement", () => {
  it("keeps what else is in the file", () => {
    const begun = KeyFile.begun(single, "new", "2026-11-25")
    expect(begun).toBe("# Acme's keys\n\nold\n# the end\nnew # next, made 2026-11-25\n")
    expect(KeyFile.nextOf(begun)).toBe("new")
    const switched = KeyFile.switched(begun)
    expect(switched).toBe("# Acme's keys\n\nnew # made 2026-11-25\nold\n# the end\n")
    expect(KeyFile.nextOf(switched)).toBe(undefined)
    expect(KeyFile.finished(switched)).toBe("# Acme's keys\n\nnew # made 2026-11-25\n# the end\n")
  })

  it("keeps every key that may have encrypted something until it is finished, whatever is run in whatever order", () => {
    const stages = ["begin", "switch", "finish"] as const
    let made = 0
    // What the commands allow: see their handlers.
    const run = (text: string, stage: (typeof stages)[number]): string => {
      const now = KeyFile.stageOf(text)
      if (stage === "begin") return now === "Single" ? KeyFile.begun(text, `key${++made}`, "2026-11-25") : text
      if (stage === "switch") return KeyFile.switched(text)
      return now === "Switched" ? KeyFile.finished(text) : text
    }
    let visited = 0
    const explore = (text: string, current: string, depth: number) => {
      visited++
      for (const stage of depth === 0 ? [] : stages) {
        const next = run(text, stage)
        const keys = KeyFile.keysOf(next)
        // A process that started before has to read what one that starts now writes.
        if (keys[0] !== current) expect(KeyFile.keysOf(text)).toContain(keys[0])
        if (stage !== "finish") expect(keys).toContain(current)
        expect(new Set(keys).size).toBe(keys.length)
        expect(keys.length).toBeLessThanOrEqual(2)
        // Run again, a stage changes nothing.
        expect(run(next, stage)).toBe(next)
        explore(next, keys[0] ?? "", depth - 1)
      }
    }
    explore(single, "old", 7)
    expect(visited).toBe((3 ** 8 - 1) / 2)
  })
})
