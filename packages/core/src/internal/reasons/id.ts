/** What the schema of a reason is named in others' output. */
export const id = (name: string) => `@zapier-workflow-auth/core/ZapierAuthError/${name}`
