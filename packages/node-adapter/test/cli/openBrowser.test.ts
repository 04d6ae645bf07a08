import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { environmentOf } from "../../src/cli/run/openBrowser.ts"

describe("the environment of the browser", () => {
  it.prop("has nothing that is ours, whatever it is called", { name: Schema.String }, ({ name }) => {
    for (const ours of [`ZAPIER_${name}`, `ZAPIER_${name}_PROXY`, `PG${name}`, `NODE_${name}`, `${name}SECRET`]) {
      expect(environmentOf({ [ours]: "s3cret" })).toEqual({})
    }
  })

  it("has what finds the session, the display, the network and the user's files", () => {
    const env = {
      PATH: "/bin",
      HOME: "/home/ada",
      LANG: "C",
      LC_ALL: "C",
      DISPLAY: ":0",
      XAUTHORITY: "/x",
      WAYLAND_DISPLAY: "wayland-0",
      DBUS_SESSION_BUS_ADDRESS: "unix:",
      XDG_CURRENT_DESKTOP: "GNOME",
      https_proxy: "http://proxy",
      WSL_DISTRO_NAME: "Debian",
      SystemRoot: "C:\\Windows",
      "ProgramFiles(x86)": "C:\\Program Files (x86)"
    }
    expect(environmentOf(env)).toEqual(env)
  })
})

describe("the browser", () => {
  const folder = mkdtempSync(join(tmpdir(), "zapier-browser-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  // Where the command is published, `login.browser.test.ts` opens it.
  it.live("is started with the address, in that environment", () =>
    Effect.gen(function* () {
      if (process.platform !== "linux") return expect(process.platform, "only Linux is started like this").not.toBe("")
      const said = join(folder, "said")
      const opener = join(folder, "opener")
      writeFileSync(opener, `#!/bin/sh\n{ echo "$1"; env; } > '${said}.new' && mv '${said}.new' '${said}'\n`, {
        mode: 0o700
      })
      const module = new URL("../../src/cli/run/openBrowser.ts", import.meta.url).href
      const program = `import { openBrowser } from ${JSON.stringify(module)}
        import * as Effect from "effect/Effect"
        await Effect.runPromise(openBrowser("http://127.0.0.1:1/start"))`
      // What starts browsers is looked for there. @effect-diagnostics-next-line processEnvInEffect:off
      const env = { PATH: process.env["PATH"] ?? "", BROWSER: opener, ZAPIER_CLIENT_SECRET: "s3cret" }
      execFileSync(process.execPath, ["--input-type=module", "--eval", program], { cwd: import.meta.dirname, env })
      while (!existsSync(said)) yield* Effect.sleep(5)
      const lines = readFileSync(said, "utf8").split("\n")
      expect(lines[0]).toBe("http://127.0.0.1:1/start")
      expect(lines).toContain(`BROWSER=${opener}`)
      expect(lines.join()).not.toContain("s3cret")
    })
  )
})
