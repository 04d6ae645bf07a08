/** Who can be at fault. */
import * as Schema from "effect/Schema"

/**
 * Whose fault it is that something failed.
 *
 * - `Caller`: the code that calls the library, or its configuration
 * - `AppOwner`: whoever owns the app at Zapier
 * - `User`: the user on the consent page
 * - `Zapier`: Zapier's servers
 * - `Network`: whatever lies between this program and Zapier
 * - `Store`: whoever runs the stores and their keys
 *
 * @since 0.1.0
 */
export const Party = Schema.Literals(["Caller", "AppOwner", "User", "Zapier", "Network", "Store"])

/**
 * @since 0.1.0
 */
export type Party = typeof Party.Type
