/** Reads the client secret from `ZAPIER_CLIENT_SECRET_FILE`. Loaded only if that is set. */
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as NodePath from "@effect/platform-node-shared/NodePath"
import type { ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as SecretFile from "../secretFile.ts"

export const read = (path: string): Effect.Effect<Redacted.Redacted, ZapierAuthError> =>
  Effect.provide(SecretFile.read(path), [NodeFileSystem.layer, NodePath.layer])
