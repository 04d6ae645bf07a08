/** The schema name of a reason, as other tools show it. */
export const id = (name: string) => `@zapier-workflow-auth/core/ZapierAuthError/${name}`
