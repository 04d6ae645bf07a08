/**
 * Draws a machine from its table of edges. The full picture shows the events of each edge. The compact picture, for narrow
 * screens, shows only the event of the highlighted edge.
 */
import Dagre from "@dagrejs/dagre"
import { escape } from "../../../internal/markup.ts"

type Edges = {
  readonly [state: string]: { readonly [event: string]: { readonly [target: string]: string } | undefined }
}

/** The highlighted parts: the current state of the machine, and the latest edge. */
export interface Lit {
  readonly state: string
  readonly from?: string | undefined
  readonly event?: string | undefined
}

interface Edge {
  readonly from: string
  readonly to: string
  readonly events: ReadonlyArray<{ readonly name: string; readonly condition: string }>
}

interface Point {
  readonly x: number
  readonly y: number
}

// Splits a name such as `RefreshOutcomeUnknown` into words, which are easier to read.
const spaced = (name: string) => name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)

/** The edges between different states. Edges from a state to itself would only hide them. */
const edgesOf = (edges: Edges): ReadonlyArray<Edge> => {
  const found = new Map<string, { from: string; to: string; events: Array<Edge["events"][number]> }>()
  for (const [from, events] of Object.entries(edges)) {
    for (const [name, targets = {}] of Object.entries(events)) {
      for (const [to, condition] of Object.entries(targets)) {
        if (to === from) continue
        const key = `${from} ${to}`
        const edge = found.get(key) ?? { from, to, events: [] }
        edge.events.push({ name, condition })
        found.set(key, edge)
      }
    }
  }
  return [...found.values()]
}

// In units of the picture.
const node = { height: 46, letter: 8.6, padding: 26 }
const label = { line: 17, letter: 6.9, padding: 10 }
const margin = 12

type Kind = "whole" | "compact"

const gaps: { readonly [K in Kind]: object } = {
  whole: { nodesep: 70, ranksep: 46, edgesep: 26 },
  compact: { nodesep: 40, ranksep: 30, edgesep: 20 }
}

const layout = (edges: Edges, kind: Kind) => {
  const graph = new Dagre.graphlib.Graph()
  graph.setGraph({ rankdir: "TB", ...gaps[kind], marginx: margin, marginy: margin })
  for (const state of Object.keys(edges)) {
    graph.setNode(state, { width: spaced(state).length * node.letter + node.padding, height: node.height })
  }
  const all = edgesOf(edges)
  for (const { events, from, to } of all) {
    const width = Math.max(...events.map(({ name }) => spaced(name).length)) * label.letter + label.padding
    const size = kind === "whole" ? { width, height: events.length * label.line } : { width: 24, height: label.line }
    graph.setEdge(from, to, { ...size, labelpos: "c" })
  }
  Dagre.layout(graph)
  const { height = 0, width = 0 } = graph.graph()
  return { graph, all, width, height }
}

const round = (value: number) => Math.round(value * 10) / 10

/** Draws a line through the points, with rounded corners. */
const path = (points: ReadonlyArray<Point>): string => {
  const [first, ...rest] = points.map(({ x, y }) => ({ x: round(x), y: round(y) }))
  if (first === undefined) return ""
  const last = rest.at(-1)
  const curves = rest.slice(0, -1).map((point, index) => {
    const next = rest[index + 1] ?? point
    return `Q${point.x} ${point.y} ${round((point.x + next.x) / 2)} ${round((point.y + next.y) / 2)}`
  })
  return `M${first.x} ${first.y}${curves.join("")}${last === undefined ? "" : `L${last.x} ${last.y}`}`
}

/** Draws a machine. The layout is computed once; the highlighted parts change. */
export const make = ({ kind, ...machine }: { readonly name: string; readonly edges: Edges; readonly kind: Kind }) => {
  const { all, graph, height, width } = layout(machine.edges, kind)

  const drawEdge = ({ events, from, to }: Edge, lit: Lit, id: string) => {
    const { points, x, y } = graph.edge(from, to)
    const isLit = lit.from === from && lit.state === to
    const top = y - ((events.length - 1) * label.line) / 2
    const lines = events.map(
      ({ name }, index) =>
        `<tspan x="${round(x)}" y="${round(top + index * label.line)}"${isLit && name === lit.event ? ' class="lit"' : ""}>${escape(spaced(name))}</tspan>`
    )
    // Shown by the browser while the pointer rests on the edge.
    const conditions = events
      .filter(({ condition }) => condition !== "always")
      .map(({ condition, name }) => `${spaced(name)}: ${condition}`)
    const title = conditions.length === 0 ? "" : `<title>${escape(conditions.join("\n"))}</title>`
    const texts = kind === "whole" ? `<text>${lines.join("")}</text>` : ""
    return `<g class="edge${isLit ? " lit" : ""}">${title}<path d="${path(points)}" marker-end="url(#${id}-arrow${isLit ? "-lit" : ""})"/>${texts}</g>`
  }

  const drawNode = (state: string, lit: Lit) => {
    const { height, width, x, y } = graph.node(state)
    const box = `x="${round(x - width / 2)}" y="${round(y - height / 2)}" width="${round(width)}" height="${height}" rx="10"`
    return `<g class="state${lit.state === state ? " lit" : ""}"><rect ${box}/><text x="${round(x)}" y="${round(y)}">${escape(spaced(state))}</text></g>`
  }

  const arrow = (id: string, name: string) =>
    `<marker id="${id}-${name}" class="${name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 10 5 0 10z"/></marker>`

  // Without room for it in the picture, the event is shown below.
  const caption = ({ event, from, state }: Lit) =>
    kind === "whole" || event === undefined || from === undefined
      ? ""
      : `<p class="compact caption">${escape(`${spaced(from)} → ${spaced(state)}: ${spaced(event)}`)}</p>`

  /** @param id is unique in the document, where the same machine may be drawn several times */
  return (lit: Lit, id: string): string => {
    // Highlighted parts are drawn over the others.
    const edges = [...all].sort(
      (a, b) => Number(lit.from === a.from && lit.state === a.to) - Number(lit.from === b.from && lit.state === b.to)
    )
    const description = `The states of ${machine.name}. It is in the state ${spaced(lit.state)}.`
    return `<svg class="machine ${kind}" viewBox="0 0 ${round(width)} ${round(height)}" role="img" aria-label="${escape(description)}"><defs>${arrow(id, "arrow")}${arrow(id, "arrow-lit")}</defs>${edges.map((edge) => drawEdge(edge, lit, id)).join("")}${Object.keys(
      machine.edges
    )
      .map((state) => drawNode(state, lit))
      .join("")}</svg>${caption(lit)}`
  }
}
