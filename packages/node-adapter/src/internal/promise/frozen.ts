/** Recognizes platforms that freeze a process, or take its CPU away, after its response. */
import type * as Settings from "@zapier-workflow-auth/core/Settings"

// Set by AWS Lambda (and platforms based on it, such as Netlify), Vercel, and Cloud Run.
const variables = ["AWS_LAMBDA_FUNCTION_NAME", "VERCEL", "K_SERVICE"]

type Environment = { readonly [name: string]: string | undefined }

/**
 * Turns off early renewal on such a platform, unless the process is kept alive or a margin is set: a refresh that is frozen
 * after it was sent may lose the grant.
 */
export const settings = (
  given: Settings.Options | undefined,
  isKeptGoing: boolean,
  environment: Environment
): Settings.Options | undefined =>
  isKeptGoing || !variables.some((name) => (environment[name] ?? "") !== "") ? given : { expiryMargin: 0, ...given }
