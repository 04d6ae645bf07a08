/** How well a colour can be told from another, as WCAG 2.2 has it: relative luminance, and contrast. */
const luminance = (rgb: string) => {
  const long = rgb.length === 3 ? rgb.replaceAll(/./g, "$&$&") : rgb
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((at) => {
    const part = Number.parseInt(long.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/** Of two colours, as three or six hexadecimal digits. */
export const contrast = (one: string, other: string) => {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].toSorted((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}
