/** Prints what happens, for people: in colour on a terminal, plain elsewhere or with NO_COLOR. */
import { styleText } from "node:util"
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"

type Style = Parameters<typeof styleText>[0]

const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout, validateStream: true })

const print = (text = "") => process.stdout.write(`${text}\n`)

const labelled = (style: Style, label: string, text: string) => print(`   ${paint(style, label.padEnd(8))} ${text}`)

const outcomes: Array<{ readonly title: string; readonly failures: Array<string> }> = []

export const title = (text: string) => print(paint("bold", text))

export const say = (text: string) => print(text)

/** Begins a step. What is checked from here on belongs to it. */
export const step = (title: string) => {
  outcomes.push({ title, failures: [] })
  print()
  print(paint("bold", `${outcomes.length}. ${title}`))
}

/** What the app does, in terms of the library. */
export const app = (text: string) => labelled("cyan", "app", text)

/** What the user's browser does. */
export const browser = (text: string) => labelled("magenta", "browser", text)

/** A request of the library, and its answer. */
export const request = (line: string) => labelled("blue", "request", line)

/** What happens elsewhere. */
export const world = (text: string) => labelled("yellow", "world", text)

/** A machine that went from one state to another, or an odd response. */
export const event = (event: AuthEvent) => {
  if (event._tag === "OddResponseTaken") {
    labelled("yellow", "odd", `${event.grant}: a response was taken, but for ${event.oddities.join(", ")}`)
    return
  }
  const machine = event._tag.replace("Changed", "")
  const where = event.from === event.to ? event.to : `${event.from} -> ${event.to}`
  const mark = "generation" in event ? paint("dim", ` (generation ${event.generation})`) : ""
  labelled("green", "state", `${machine}: ${where} ${paint("dim", `by ${event.event}`)}${mark}`)
}

/** Something that must be so. */
export const check = (claim: string, holds: boolean) => {
  if (!holds) outcomes.at(-1)?.failures.push(claim)
  labelled(holds ? "green" : "red", holds ? "ok" : "FAILED", claim)
}

/** The result of each step; whether all went as they should. */
export const summary = (): boolean => {
  print()
  title("Summary")
  for (const [index, { failures, title }] of outcomes.entries()) {
    const good = failures.length === 0
    print(`   ${paint(good ? "green" : "red", good ? "ok    " : "FAILED")} ${index + 1}. ${title}`)
    for (const claim of failures) print(`          not so: ${claim}`)
  }
  return outcomes.every(({ failures }) => failures.length === 0)
}
