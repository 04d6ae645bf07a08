/** The edges of the grant machine that lead to another state. */
import * as UserGrant from "@zapier-workflow-auth/core/machine/UserGrant"

const edges: { readonly [state: string]: { readonly [event: string]: { readonly [target: string]: string } } } =
  UserGrant.edges

export const moves = Object.entries(edges).flatMap(([from, events]) =>
  Object.entries(events).flatMap(([event, targets]) =>
    Object.keys(targets)
      .filter((to) => to !== from)
      .map((to) => ({ from, event, to }))
  )
)
