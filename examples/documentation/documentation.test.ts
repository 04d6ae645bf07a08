/** Compiles and runs every code block of the documentation, here or as an example with its own tests. */
import { execFile } from "node:child_process"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it, vi } from "@effect/vitest"
import * as Blocks from "./blocks.ts"
import { asserted } from "./claims.ts"

const here = fileURLToPath(new URL("./", import.meta.url))

// Named by this process, so that parallel runs do not collide.
const folder = `${here}.blocks-${process.pid}`

// A line without its indentation.
const lines = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .join("\n")

const examples = Blocks.examples.map(lines)

const isExample = ({ code }: Blocks.Block) => examples.some((example) => example.includes(lines(code)))

const nameOf = ({ file, line }: Blocks.Block) => `${file.replaceAll(/[/.]/g, "-")}-${line}`

const blocks = Blocks.all.filter((block) => !isExample(block))

describe("the documentation's code", () => {
  beforeAll(async () => {
    await mkdir(folder, { recursive: true })
    await writeFile(`${folder}/tsconfig.json`, JSON.stringify({ extends: "../tsconfig.json", include: ["*.ts"] }))
    await Promise.all(
      blocks.map((block) => writeFile(`${folder}/${nameOf(block)}.ts`, `${asserted(block.code)}export {}\n`))
    )
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it("is there", () => {
    expect(blocks.length).toBeGreaterThan(50)
  })

  it("compiles", async () => {
    const compiled = await promisify(execFile)("tsc", ["-p", folder, "--noEmit", "--pretty", "false"]).then(
      () => "",
      ({ stdout }: { readonly stdout: string }) => stdout
    )
    expect(compiled).toBe("")
  })

  describe("runs, and comes to what it says", () => {
    let data = ""
    beforeAll(async () => {
      // Its output is for readers, and its files must not stay on the tester's machine.
      vi.spyOn(console, "log").mockImplementation(() => undefined)
      data = await mkdtemp(join(tmpdir(), "documentation-"))
      vi.stubEnv("XDG_DATA_HOME", data)
    })
    afterAll(async () => {
      vi.restoreAllMocks()
      vi.unstubAllEnvs()
      await rm(data, { recursive: true, force: true })
    })

    it.each(blocks.filter(({ isRun }) => isRun).map((block) => [`${block.file}:${block.line}`, nameOf(block)]))(
      "%s",
      async (_, name) => {
        await import(/* @vite-ignore */ `${folder}/${name}.ts`)
      }
    )
  })
})
