export * as DataDirectory from "./DataDirectory.ts"
export * as SqliteClient from "./SqliteClient.ts"
export * as ZapierNode from "./ZapierNode.ts"
