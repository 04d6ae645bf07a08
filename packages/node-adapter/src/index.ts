export * as ZapierNode from "./ZapierNode.ts"
