/**
 * The client application of a command.
 *
 * The client id is that of `--client-id`, else of `ZAPIER_CLIENT_ID`. The secret is in the file of `--client-secret-file`, or
 * comes from stdin if that is `-`; else in the file of `ZAPIER_CLIENT_SECRET_FILE`, or in `ZAPIER_CLIENT_SECRET`; else a
 * terminal is prompted for it.
 */
import * as ClientApplication from "@zapier-workflow-auth/core/oauth/ClientApplication"
import { InvalidConfig, ZapierAuthError } from "@zapier-workflow-auth/core/ZapierAuthError"
import * as Prompt from "effect/cli/Prompt"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import type * as Terminal from "effect/Terminal"
import * as Environment from "../internal/environment.ts"
import * as SecretFile from "../internal/secretFile.ts"
import type * as Flags from "./flags.ts"

/** The redirect URI of this command, unless others are configured. */
export const defaultRedirectUri = "http://127.0.0.1:9271/callback"

const invalid = (setting: string, problem: string) => ZapierAuthError.make(new InvalidConfig({ setting, problem }))

/** False where a prompt would end up in the input of another program. */
const isInteractive = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  return (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
})

const ask = Prompt.run(Prompt.Hidden({ message: "Client secret (Developer Platform: Embed, Settings, Credentials)" }))

const fromStdin = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  return yield* Stream.mkString(Stream.decodeText(stdio.stdin))
}).pipe(Effect.mapError(() => invalid("--client-secret-file -", "stdin cannot be read")))

/** The client id, which is public. */
export const clientId = Effect.fnUntraced(function* (flags: Pick<Flags.Application, "clientId">) {
  const set = yield* Environment.application
  return Option.orElse(flags.clientId, () => set.clientId)
})

const hasSecret = Effect.fnUntraced(function* (flags: Flags.Application) {
  const { clientSecret, clientSecretFile } = yield* Environment.application
  const isGiven =
    Option.isSome(flags.clientSecretFile) || Option.isSome(clientSecret) || Option.isSome(clientSecretFile)
  return isGiven || (yield* isInteractive)
})

const platform = (what: "it" | "them") => `The Developer Platform shows ${what} (Embed, Settings, Credentials)`

/** The client id. Without it, fails with `InvalidConfig`, which names the secret, too, if that is missing as well. */
export const requireClientId = Effect.fnUntraced(function* (flags: Flags.Application) {
  const id = yield* clientId(flags)
  if (Option.isSome(id)) return id.value
  return yield* (yield* hasSecret(flags))
    ? invalid("client id", `missing. Set ZAPIER_CLIENT_ID, or give --client-id. ${platform("it")}`)
    : invalid(
        "client id and secret",
        `missing. Set ZAPIER_CLIENT_ID and ZAPIER_CLIENT_SECRET, or give --client-id and --client-secret-file. ${platform("them")}. Without credentials, start with "zapier-workflow-auth fake"`
      )
})

/** The flags of an application, and the redirect URI of a login. */
export type Flagged = Flags.Application & Partial<Flags.RedirectUri>

/** The redirect URIs in their configured order, after the one of the flag. */
export const redirectUris = Effect.fnUntraced(function* ({ redirectUri = Option.none() }: Partial<Flags.RedirectUri>) {
  const configured = Option.getOrElse((yield* Environment.application).redirectUris, () => [defaultRedirectUri])
  return [...new Set([...Option.toArray(redirectUri), ...configured])]
})

type Services = FileSystem.FileSystem | Path.Path | Stdio.Stdio | Terminal.Terminal

/** Reads the secret anew each time, so that a regenerated one is noticed. A prompt and stdin are read once. */
const make = Effect.fnUntraced(function* (flags: Flagged) {
  const services = yield* Effect.context<Services>()
  const asked = yield* Effect.cached(
    Effect.mapError(ask, () => invalid("client secret", "nothing was entered. Nothing was done"))
  )
  const piped = yield* Effect.cached(fromStdin)

  /** The secret, and its name in errors. */
  const secret = Effect.gen(function* () {
    const set = yield* Environment.application
    if (Option.isSome(flags.clientSecretFile)) {
      const path = flags.clientSecretFile.value
      const value = path === "-" ? Redacted.make(SecretFile.withoutNewline(yield* piped)) : yield* SecretFile.read(path)
      return { value, name: "--client-secret-file" }
    }
    if (Option.isSome(set.clientSecretFile)) {
      if (Option.isSome(set.clientSecret)) {
        return yield* Environment.both("ZAPIER_CLIENT_SECRET", "ZAPIER_CLIENT_SECRET_FILE")
      }
      return { value: yield* SecretFile.read(set.clientSecretFile.value), name: "ZAPIER_CLIENT_SECRET_FILE" }
    }
    if (Option.isSome(set.clientSecret)) return { value: set.clientSecret.value, name: "ZAPIER_CLIENT_SECRET" }
    if (yield* isInteractive) return { value: yield* asked, name: "client secret" }
    return yield* invalid(
      "client secret",
      `missing. Set ZAPIER_CLIENT_SECRET or ZAPIER_CLIENT_SECRET_FILE, or give --client-secret-file (- for stdin). ${platform("it")}`
    )
  })

  const read = Effect.gen(function* () {
    const id = yield* requireClientId(flags)
    const { name, value } = yield* secret
    return {
      clientId: id,
      clientSecret: value,
      redirectUris: yield* redirectUris(flags),
      names: {
        clientId: Option.isSome(flags.clientId) ? "--client-id" : "ZAPIER_CLIENT_ID",
        clientSecret: name,
        redirectUris: Option.isSome(flags.redirectUri ?? Option.none())
          ? "--redirect-uri, ZAPIER_REDIRECT_URIS"
          : "ZAPIER_REDIRECT_URIS"
      }
    }
  }).pipe(Effect.provideContext(services))
  return { read }
})

/** Fails with `InvalidConfig` at its first use if a setting is missing or not usable. */
export const layer = (flags: Flagged): Layer.Layer<ClientApplication.ClientApplication, ZapierAuthError, Services> =>
  Layer.unwrap(Effect.map(make(flags), ({ read }) => ClientApplication.layerEffect(read)))
