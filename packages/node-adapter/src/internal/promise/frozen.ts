/** Knows the platforms that freeze a process, or take its processor away, once it has responded. */
import type * as Settings from "@zapier-workflow-auth/core/Settings"

// Set by AWS Lambda (and what is built upon it, such as Netlify), Vercel, and Cloud Run.
const variables = ["AWS_LAMBDA_FUNCTION_NAME", "VERCEL", "K_SERVICE"]

type Environment = { readonly [name: string]: string | undefined }

/**
 * On such a platform nothing is renewed ahead unless somebody keeps the process going: a refresh that is frozen after it has
 * been sent may lose the grant. A margin that is set is meant.
 */
export const settings = (
  given: Settings.Options | undefined,
  isKeptGoing: boolean,
  environment: Environment
): Settings.Options | undefined =>
  isKeptGoing || !variables.some((name) => (environment[name] ?? "") !== "") ? given : { expiryMargin: 0, ...given }
