import { describe, expect, it } from "@effect/vitest"
import * as Api from "./api.ts"
import { entriesOf } from "./entries.ts"

describe("the report of a module", () => {
  it("has its declarations by name, without comments and imports", () => {
    const declarations = Api.declarationsOf(
      `/** The module. */
import * as Effect from "effect/Effect";
/** Later. */
export declare const beta: (of: Alpha) => Effect.Effect<void>;
/** First. */
export interface Alpha {
    /** A member. */
    readonly name: string;
}
export {};
//# sourceMappingURL=Module.d.ts.map`,
      "dist/Module.d.ts",
      () => undefined
    )
    expect(declarations).toEqual([
      "export interface Alpha {\n  readonly name: string;\n}",
      "export declare const beta: (of: Alpha) => Effect.Effect<void>;"
    ])
  })

  it("has what the module takes from internal modules, and not what it takes from public ones", () => {
    const internal: Readonly<Record<string, string>> = {
      "dist/internal/options.d.ts": `export interface Options { readonly size: Size; }
export type { Size } from "./size.ts";
export declare const check: (options: Options) => void;`,
      "dist/internal/size.d.ts": `export type Size = import("effect/Duration").Duration | number;`
    }
    const code = `export type { Options, Size } from "./internal/options.ts";\nexport * as Other from "./Other.ts";`
    expect(Api.declarationsOf(code, "dist/Module.d.ts", (file) => internal[file])).toEqual([
      'export * as Other from "./Other.ts";',
      "export interface Options {\n  readonly size: Size;\n}",
      "export type Size = Duration.Duration | number;",
      'export type { Options, Size } from "./internal/options.ts";'
    ])
  })

  it("replaces the object types of a very long declaration by fingerprints, which change with them", () => {
    const outlineOf = (type: string) => {
      const members = Array.from({ length: 300 }, (_, index) => `readonly m${index}: ${type};`).join("\n")
      return Api.declarationsOf(
        `export declare const api: Api<"zaps", {\n${members}\n}>;`,
        "dist/Api.d.ts",
        () => undefined
      )[0]
    }
    expect(outlineOf("string")).toMatch(/^export declare const api: Api<"zaps", Shape_[\da-f]{8}>;$/)
    expect(outlineOf("number")).not.toBe(outlineOf("string"))
  })
})

describe("the entries of a package", () => {
  it("are the modules that its manifest exports", () => {
    const exports = { ".": {}, "./*": {}, "./bin": null, "./internal/*": null, "./fake/internal/*": null }
    const modules = ["bin", "fake/Fake", "fake/internal/rules", "index", "internal/runtime", "binary"]
    const files = modules.flatMap((name) => [`dist/${name}.js`, `dist/${name}.d.ts`])
    expect(entriesOf(exports, files)).toEqual([".", "./binary", "./fake/Fake"])
  })
})
