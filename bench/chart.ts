/** Bar charts as SVG, readable on light and dark pages. */
import * as Vega from "vega"

export interface Bars {
  readonly title: string
  readonly bars: ReadonlyArray<readonly [name: string, value: number]>
}

// Readable on white and on black.
const ink = "#808080"

const accent = "#d9480f"

const specOf = ({ bars, title }: Bars): Vega.Spec => ({
  width: 420,
  height: bars.length * 24,
  padding: 8,
  title: { text: title, anchor: "start", color: ink, fontWeight: "normal" },
  config: { axis: { labelColor: ink, labelLimit: 260, domain: false, ticks: false } },
  data: [{ name: "bars", values: bars.map(([name, value]) => ({ name, value })) }],
  scales: [
    {
      name: "name",
      type: "band",
      domain: { data: "bars", field: "name", sort: false },
      range: "height",
      padding: 0.25
    },
    { name: "value", type: "linear", domain: { data: "bars", field: "value" }, range: "width", nice: true, zero: true }
  ],
  axes: [
    { orient: "left", scale: "name" },
    { orient: "bottom", scale: "value", grid: true, gridColor: ink, gridOpacity: 0.25, tickCount: 5 }
  ],
  marks: [
    {
      type: "rect",
      from: { data: "bars" },
      encode: {
        enter: {
          y: { scale: "name", field: "name" },
          height: { scale: "name", band: 1 },
          x: { scale: "value", value: 0 },
          x2: { scale: "value", field: "value" },
          fill: { value: accent }
        }
      }
    },
    {
      type: "text",
      from: { data: "bars" },
      encode: {
        enter: {
          y: { scale: "name", field: "name", band: 0.5 },
          x: { scale: "value", field: "value", offset: 4 },
          baseline: { value: "middle" },
          fill: { value: ink },
          text: { signal: "format(datum.value, ',.4~g')" }
        }
      }
    }
  ]
})

export const bars = async (bars: Bars): Promise<string> => {
  const view = new Vega.View(Vega.parse(specOf(bars)), { renderer: "none" })
  return `${await view.toSVG()}\n`
}
