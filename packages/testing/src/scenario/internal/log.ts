/** Collects an app's logs and output: messages, causes, annotations, and output to Effect's `Console`. */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

const ignored = () => undefined

const consoleOf = (note: (text: string) => void): Console.Console => {
  const print = (...args: ReadonlyArray<unknown>) => note(args.map((one) => Formatter.format(one)).join(" "))
  return {
    assert: (condition, ...args) => (condition ? undefined : print(...args)),
    clear: ignored,
    count: ignored,
    countReset: ignored,
    debug: print,
    dir: print,
    dirxml: print,
    error: print,
    group: print,
    groupCollapsed: print,
    groupEnd: ignored,
    info: print,
    log: print,
    table: print,
    time: ignored,
    timeEnd: ignored,
    timeLog: (_label, ...args) => print(...args),
    trace: print,
    warn: print
  }
}

/** A context that collects logs of every level. */
export const contextOf = (note: (text: string) => void): Context.Context<never> => {
  const logger = Logger.make(({ cause, fiber, message }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const parts = [
      Formatter.format(message),
      ...(cause.reasons.length === 0 ? [] : [Cause.pretty(cause)]),
      ...(Object.keys(annotations).length === 0 ? [] : [Formatter.format(annotations)])
    ]
    note(parts.join(" "))
  })
  return Context.make(Logger.CurrentLoggers, new Set([logger])).pipe(
    Context.add(References.MinimumLogLevel, "All"),
    Context.add(Console.Console, consoleOf(note))
  )
}
