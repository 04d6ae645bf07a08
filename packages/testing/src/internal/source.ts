/** Plain data as source code. */

const name = /^[A-Za-z_$][\w$]*$/

/** A value as source code. */
export const of = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(of).join(", ")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "undefined"
  const members = Object.entries(value).map(
    ([key, member]) => `${name.test(key) ? key : JSON.stringify(key)}: ${of(member)}`
  )
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`
}
