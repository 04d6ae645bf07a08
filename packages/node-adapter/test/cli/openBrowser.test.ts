import { describe, expect, it } from "@effect/vitest"
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
