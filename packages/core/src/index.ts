export * as Endpoint from "./Endpoint.ts"
export * as Scopes from "./Scopes.ts"
