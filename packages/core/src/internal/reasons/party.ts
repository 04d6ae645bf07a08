/** The parties that can be at fault. */
import * as Schema from "effect/Schema"

/**
 * The party at fault for a failure.
 *
 * - `Caller`: the code that calls the library, or its configuration
 * - `AppOwner`: the owner of the app at Zapier
 * - `User`: the user on the consent page
 * - `Zapier`: Zapier's servers
 * - `Network`: the network between this program and Zapier
 * - `Store`: the operators of the stores and their keys
 *
 * @since 0.1.0
 */
export const Party = Schema.Literals(["Caller", "AppOwner", "User", "Zapier", "Network", "Store"])

/**
 * @since 0.1.0
 */
export type Party = typeof Party.Type
