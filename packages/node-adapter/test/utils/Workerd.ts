/** Cloudflare's runtime, with a worker of ours in it: bundled without Node. Where there is none, tests are skipped, and say why. */
import { describe, it } from "@effect/vitest"
import { rolldown } from "rolldown"

// What is used of miniflare, whose own types need those of a version of Cloudflare's.
export interface Runtime {
  readonly ready: Promise<URL>
  readonly getBindings: <Bindings>() => Promise<Bindings>
  readonly dispatchFetch: (url: string, init?: object) => Promise<Response>
  readonly dispose: () => Promise<void>
}

interface Package {
  readonly Miniflare: new (options: { readonly [name: string]: unknown }) => Runtime
}

/** The worker as one module. Fails if anything of it needs Node. */
export const bundle = async (input: string): Promise<string> => {
  const build = await rolldown({
    input,
    platform: "neutral",
    // What is imported by what is not used is left out, as wrangler's bundler does it.
    external: ["cloudflare:workers", "redis", /^node:/],
    onwarn: (warning) => {
      throw new Error(warning.message)
    }
  })
  const { output } = await build.generate({ format: "esm", codeSplitting: false })
  await build.close()
  const [{ code, imports }] = output
  const others = imports.filter((name) => name !== "cloudflare:workers")
  if (others.length > 0) throw new Error(`the worker would need ${others.join(", ")}`)
  return code
}

const load = async (): Promise<Package | string> => {
  try {
    const name: string = "miniflare"
    const miniflare: Package = await import(name)
    const probe = new miniflare.Miniflare({ modules: true, script: "export default { fetch: () => new Response() }" })
    await probe.ready
    await probe.dispose()
    return miniflare
  } catch (error) {
    return `there is no workerd for ${process.platform}-${process.arch}: ${String(error)}`
  }
}

const loaded = await load()

/** Starts a worker. */
export const start = (options: { readonly [name: string]: unknown }): Runtime => {
  if (typeof loaded === "string") throw new Error(loaded)
  return new loaded.Miniflare(options)
}

/** Tests that need the runtime. */
export const describeWithWorkerd = (name: string, tests: () => void) => {
  if (typeof loaded !== "string") {
    describe(name, tests)
    return
  }
  // Vitest shows no names of what is skipped.
  process.stderr.write(`${name}: skipped, because ${loaded}\n`)
  describe.skip(`${name}: skipped, because ${loaded}`, () => {
    it("needs workerd", () => undefined)
  })
}
