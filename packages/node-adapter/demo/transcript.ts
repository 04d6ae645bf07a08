/** Prints the story for people: in color on a terminal, plain elsewhere or with NO_COLOR. */
import { stripVTControlCharacters, styleText } from "node:util"
import type { AuthEvent } from "@zapier-workflow-auth/core/AuthEvent"

type Style = Parameters<typeof styleText>[0]

const paint = (style: Style, text: string) => styleText(style, text, { stream: process.stdout, validateStream: true })

const print = (text = "") => process.stdout.write(`${text}\n`)

const margin = " ".repeat(12)

const columns = (text: string) => stripVTControlCharacters(text).length

// Fits 80 columns. A form of a request breaks between its parameters.
const wrap = (text: string): string => {
  const lines: Array<string> = []
  for (const part of text.split(/(?<=&|(?<!->|generation) )/)) {
    const last = lines.at(-1)
    if (last !== undefined && columns(margin + last + part.trimEnd()) <= 80) lines.splice(-1, 1, last + part)
    else lines.push(part)
  }
  return lines.map((line) => line.trimEnd()).join(`\n${margin}`)
}

const labelled = (style: Style, label: string, text: string) =>
  print(`   ${paint(style, label.padEnd(8))} ${wrap(text)}`)

const outcomes: Array<{ readonly title: string; readonly failures: Array<string> }> = []

export const title = (text: string) => print(paint("bold", text))

export const say = (text: string) => print(text)

/** Begins a step. The checks that follow belong to it. */
export const step = (title: string) => {
  outcomes.push({ title, failures: [] })
  print()
  print(paint("bold", `${outcomes.length}. ${title}`))
}

/** The app calls the library. */
export const app = (text: string) => labelled("cyan", "app", text)

// They are long, and the same in each request.
const brief = (line: string) => line.replaceAll(/(client_id|redirect_uri)=[^&\s]+/g, "$1=…")

/** The user's browser does something. */
export const browser = (text: string) => labelled("magenta", "browser", brief(text))

/** A request of the library, and its response. */
export const request = (line: string) => labelled("blue", "request", brief(line))

/** An event outside of the app. */
export const world = (text: string) => labelled("yellow", "world", text)

/** A machine changed its state, or a response was odd. */
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

/** A claim that must hold. */
export const check = (claim: string, holds: boolean) => {
  if (!holds) outcomes.at(-1)?.failures.push(claim)
  labelled(holds ? "green" : "red", holds ? "ok" : "FAILED", claim)
}

/** Prints the result of each step, and returns whether all succeeded. */
export const summary = (): boolean => {
  print()
  title("Summary")
  for (const [index, { failures, title }] of outcomes.entries()) {
    const good = failures.length === 0
    print(`   ${paint(good ? "green" : "red", good ? "ok    " : "FAILED")} ${index + 1}. ${title}`)
    for (const claim of failures) print(`          failed: ${claim}`)
  }
  return outcomes.every(({ failures }) => failures.length === 0)
}
