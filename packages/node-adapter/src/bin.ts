#!/usr/bin/env node
import { readFileSync } from "node:fs"
import module from "node:module"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { run } from "./cli/main.ts"
import * as ProcessStdio from "./cli/processStdio.ts"

const Package = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

// Older versions of Node lack this function, and SQLite too.
const isOld = (module as Partial<typeof module>).findPackageJSON === undefined

if (isOld) {
  process.stderr.write(`error: zapier-workflow-auth needs Node 22.19 or newer, but this is Node ${process.version}.\n`)
  process.exit(1)
}

// Node 22 warns that SQLite is experimental. No user of a command can act on that.
const warn = process.emitWarning.bind(process)
process.emitWarning = (warning: string | Error, ...rest: ReadonlyArray<unknown>) => {
  if (!String(warning).startsWith("SQLite is an experimental feature")) Reflect.apply(warn, process, [warning, ...rest])
}

const file = module.findPackageJSON("..", import.meta.url)

const { version } = Schema.decodeSync(Package)(file === undefined ? "{}" : readFileSync(file, "utf8"))

const services = Layer.merge(NodeServices.layer, ProcessStdio.layer)

NodeRuntime.runMain(Effect.provide(run(process.argv.slice(2), version), services), {
  disableErrorReporting: true,
  teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) && typeof exit.value === "number" ? exit.value : 130)
})
