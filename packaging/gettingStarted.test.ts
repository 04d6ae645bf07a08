import { describe, expect, it } from "@effect/vitest"
import * as GettingStarted from "./gettingStarted.ts"

const page = (...lines: ReadonlyArray<string>) => lines.join("\n").replaceAll("'''", "```")

describe("the steps of a page", () => {
  it("are its commands, its files, and what it says is printed, up to a heading", () => {
    const steps = GettingStarted.stepsOf(
      page(
        "Run this in the clone:\n\n'''sh\nmake\n'''",
        "Run this in your app:\n\n'''sh\nnpm init -y\n'''",
        "Save this as `a.mjs`:\n\n'''ts\n1\n'''",
        "It prints:\n\n'''text\none\n'''",
        "## Next\n",
        "'''sh\nnever\n'''"
      ),
      "Next"
    )
    expect(steps).toEqual([
      { _tag: "Run", where: "clone", commands: "make\n" },
      { _tag: "Run", where: "app", commands: "npm init -y\n" },
      { _tag: "Save", file: "a.mjs", code: "1\n" },
      { _tag: "Prints", text: "one\n" }
    ])
  })

  it("leave out no block", () => {
    expect(() => GettingStarted.stepsOf(page("Look:\n\n'''ts\n1\n'''"), "Next")).toThrow("does not say what to do")
  })
})
