/**
 * `node bundleTransport.ts`, after the compiler: puts the part of `@effect/platform-node` that sends requests into the one
 * module of the library that uses it. That package has `redis` as a peer that is not optional, so that whoever installs it
 * installs six packages and 7 MB of a client for a server that they need not have. What that part needs itself, undici, is a
 * dependency of the library.
 */
import { rmSync } from "node:fs"
import { join } from "node:path"
import { build } from "rolldown"
import * as Licenses from "./licenses.ts"

const here = import.meta.dirname

const dir = join(here, "dist/internal")

// Whatever else it imports is installed.
const isBundled = /^(?:[./]|@effect\/platform-node(?:\/|$))/

const output = await build({
  cwd: here,
  platform: "node",
  logLevel: "warn",
  input: { transport: "src/internal/transport.ts" },
  external: (name) => !isBundled.test(name),
  output: { dir, format: "esm", entryFileNames: "[name].js", chunkFileNames: "transport-[name].js" }
})

// It is a map of what the compiler wrote.
rmSync(join(dir, "transport.js.map"), { force: true })

Licenses.write(dir, [output])
