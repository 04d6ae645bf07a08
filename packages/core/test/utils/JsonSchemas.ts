/** JSON Schemas as lists of their members, to be compared: `data[].title? string|null`. */

export interface JsonSchema {
  readonly type?: string | ReadonlyArray<string>
  readonly properties?: { readonly [name: string]: JsonSchema }
  readonly required?: ReadonlyArray<string>
  readonly items?: JsonSchema
  readonly $ref?: string
  readonly allOf?: ReadonlyArray<JsonSchema>
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly oneOf?: ReadonlyArray<JsonSchema>
}

export type Definitions = { readonly [name: string]: JsonSchema }

// What a value may be: kinds of values, members of objects, and elements of lists.
interface Shape {
  readonly kinds: ReadonlySet<string>
  readonly members: ReadonlyMap<string, { readonly shape: Shape; readonly isRequired: boolean }>
  readonly elements: Shape | undefined
}

const anything: Shape = { kinds: new Set(["any"]), members: new Map(), elements: undefined }

// A member that only some of several objects have is optional.
const either = (shapes: ReadonlyArray<Shape>): Shape => {
  const [first] = shapes
  if (shapes.length === 1 && first !== undefined) return first
  const objects = shapes.filter(({ kinds }) => kinds.has("object"))
  const names = new Set(objects.flatMap(({ members }) => [...members.keys()]))
  const members = [...names].map((name) => {
    const found = objects.flatMap(({ members }) => members.get(name) ?? [])
    const isRequired = found.length === objects.length && found.every(({ isRequired }) => isRequired)
    return [name, { shape: either(found.map(({ shape }) => shape)), isRequired }] as const
  })
  const elements = shapes.flatMap(({ elements }) => elements ?? [])
  return {
    kinds: new Set(shapes.flatMap(({ kinds }) => [...kinds])),
    members: new Map(members),
    elements: elements.length === 0 ? undefined : either(elements)
  }
}

const shapeOf = (schema: JsonSchema, definitions: Definitions): Shape => {
  if (schema.$ref !== undefined) {
    return shapeOf(definitions[schema.$ref.replace(/^.*\//, "")] ?? {}, definitions)
  }
  const several = schema.anyOf ?? schema.oneOf
  if (several !== undefined) return either(several.map((one) => shapeOf(one, definitions)))
  const [only] = schema.allOf ?? []
  if (schema.type === undefined) return only === undefined ? anything : shapeOf(only, definitions)
  const types = [schema.type].flat().map((type) => (type === "integer" ? "number" : type))
  const members = Object.entries(schema.properties ?? {}).map(
    ([name, member]) =>
      [name, { shape: shapeOf(member, definitions), isRequired: schema.required?.includes(name) ?? false }] as const
  )
  return {
    kinds: new Set(types),
    members: new Map(members),
    elements: schema.items === undefined ? undefined : shapeOf(schema.items, definitions)
  }
}

const kindsOf = ({ kinds }: Shape) => (kinds.has("any") ? "any" : [...kinds].sort().join("|"))

const linesOf = (path: string, shape: Shape, isRequired = true): ReadonlyArray<string> => [
  `${path === "" ? "itself" : path}${isRequired ? "" : "?"} ${kindsOf(shape)}`,
  // Elements of which nothing is said are no other than those that are not mentioned.
  ...(shape.elements === undefined || kindsOf(shape.elements) === "any" ? [] : linesOf(`${path}[]`, shape.elements)),
  ...[...shape.members].flatMap(([name, member]) =>
    linesOf(path === "" ? name : `${path}.${name}`, member.shape, member.isRequired)
  )
]

/** The members of what a schema describes, each on a line. */
export const lines = (schema: JsonSchema, definitions: Definitions): ReadonlyArray<string> =>
  linesOf("", shapeOf(schema, definitions))
