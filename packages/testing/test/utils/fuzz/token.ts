/** Token requests, and what the rules make of them. */
import * as FakeHttp from "../../../src/fake/FakeHttp.ts"
import type { Code, Grant, Oracle } from "./oracle.ts"
import type { Chooser } from "./choose.ts"

export const scopes = ["profile", "zap", "zap:write", "zap:runs", "connection:read", "promotions:write"]

type Field = readonly [name: string, value: string]

export interface Asked {
  readonly method: string
  readonly encoding: "urlencoded" | "multipart" | "json"
  readonly header: { readonly scheme: string; readonly id: string; readonly secret: string } | undefined
  readonly fields: ReadonlyArray<Field>
}

const boundary = "----fuzz"

const formEncode = (text: string) => new URLSearchParams([["x", text]]).toString().slice(2)

const bodyOf = ({ encoding, fields }: Asked): readonly [type: string, body: string] => {
  switch (encoding) {
    case "urlencoded":
      return ["application/x-www-form-urlencoded", new URLSearchParams(fields.map(([a, b]) => [a, b])).toString()]
    case "multipart": {
      const parts = fields.map(
        ([name, value]) => `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
      )
      return [`multipart/form-data; boundary=${boundary}`, `${parts.join("")}--${boundary}--\r\n`]
    }
    case "json":
      return ["application/json", JSON.stringify(Object.fromEntries(fields))]
  }
}

export const toRequest = (asked: Asked): FakeHttp.FakeRequest => {
  const [type, body] = bodyOf(asked)
  const { header } = asked
  const credentials = header && btoa(`${formEncode(header.id)}:${formEncode(header.secret)}`)
  return FakeHttp.request(asked.method, "/oauth/token/", {
    headers: { "content-type": type, ...(header && { authorization: `${header.scheme} ${credentials}` }) },
    body
  })
}

const credentials = (choose: Chooser, oracle: Oracle, wanted: string | undefined) => {
  const right = oracle.apps.find(({ id }) => id === wanted) ?? choose.of(oracle.apps)
  const app = choose.rarely(12) ? choose.of(oracle.apps) : right
  const id = choose.rarely(30) ? choose.garbage() : app.id
  const secret = choose.rarely(10) ? choose.of([...app.oldSecrets, choose.garbage(), ""]) : app.secret
  return { id, secret }
}

// Something that was given, of any age, or something that looks like it.
const known = (choose: Chooser, texts: ReadonlyArray<string>) =>
  texts.length === 0 || choose.rarely(12)
    ? choose.garbage()
    : choose.rarely(20)
      ? choose.mutate(choose.of(texts))
      : choose.often()
        ? (texts.slice(-8)[choose.below(Math.min(8, texts.length))] ?? "")
        : choose.of(texts)

const scopeField = (choose: Chooser, chance: number): ReadonlyArray<Field> =>
  choose.rarely(chance) ? [["scope", choose.some([...scopes, ...scopes, "nonsense"]).join(" ")]] : []

const wanted = (choose: Chooser, oracle: Oracle): { readonly app?: string; readonly fields: ReadonlyArray<Field> } => {
  switch (choose.below(8)) {
    case 0:
    case 1:
    case 2: {
      const text = known(choose, oracle.codes.recent)
      const code = oracle.codes.all.get(text)
      const uris = oracle.apps.flatMap(({ redirectUris }) => redirectUris)
      const uri =
        code === undefined || choose.rarely(8) ? choose.of([...uris, "https://evil.example/"]) : code.redirectUri
      return {
        ...(code && { app: code.app.id }),
        fields: [
          ["grant_type", "authorization_code"],
          ["code", text],
          ...(choose.rarely(15) ? [] : [["redirect_uri", uri] as const]),
          ...(code?.verifier === undefined || choose.rarely(6) ? [] : [["code_verifier", code.verifier] as const])
        ]
      }
    }
    case 3:
    case 4:
    case 5: {
      const text = known(choose, oracle.refreshTokens.recent)
      const grant = oracle.refreshTokens.all.get(text)
      return {
        ...(grant && { app: grant.app.id }),
        fields: [["grant_type", "refresh_token"], ["refresh_token", text], ...scopeField(choose, 5)]
      }
    }
    case 6:
      return { fields: [["grant_type", "client_credentials"], ...scopeField(choose, 2)] }
    default:
      return { fields: [["grant_type", choose.of(["password", "", "toString", "__proto__", "refresh_token"])]] }
  }
}

export const draw = (choose: Chooser, oracle: Oracle): Asked => {
  const { app, fields } = wanted(choose, oracle)
  const { id, secret } = credentials(choose, oracle, app)
  const place = choose.of(["header", "header", "header", "body", "body", "both", "nowhere", "idOnly"])
  const inBody: ReadonlyArray<Field> =
    place === "body" || place === "both"
      ? [
          ["client_id", id],
          ["client_secret", secret]
        ]
      : place === "idOnly"
        ? [["client_id", id]]
        : []
  const all: Array<Field> = [...fields, ...inBody]
  if (choose.rarely(25)) all.push(choose.of(all))
  if (choose.rarely(10)) all.push(["extra", choose.garbage()])
  const hasHeader = place === "header" || place === "both" || (place === "idOnly" && choose.often())
  return {
    method: choose.rarely(40) ? choose.of(["GET", "PUT", "HEAD"]) : "POST",
    encoding: choose.rarely(30) ? "json" : choose.often() ? "urlencoded" : "multipart",
    header: hasHeader
      ? { scheme: choose.rarely(20) ? choose.of(["Bearer", "Digest"]) : "Basic", id, secret }
      : undefined,
    fields: choose.shuffled(all)
  }
}

/** What has to come of a request: a refusal, or tokens. */
export type Verdict =
  | { readonly _tag: "Refused"; readonly status: number; readonly error: string; readonly revokes?: Grant }
  | { readonly _tag: "Code"; readonly code: Code }
  | { readonly _tag: "Refresh"; readonly grant: Grant; readonly scopes: ReadonlyArray<string> }
  | { readonly _tag: "App"; readonly app: Oracle["apps"][number]; readonly scopes: ReadonlyArray<string> | undefined }

const refused = (error: string, status = 400, revokes?: Grant): Verdict => ({
  _tag: "Refused",
  status,
  error,
  ...(revokes && { revokes })
})

export const judge = (oracle: Oracle, { encoding, fields, header, method }: Asked): Verdict => {
  if (method !== "POST") return refused("invalid_request", 405)
  const form = new Map(encoding === "json" ? [] : fields)
  const names = encoding === "json" ? [] : fields.map(([name]) => name)
  if (new Set(names).size < names.length) return refused("invalid_request")
  // A parameter without a value is as good as none.
  const get = (name: string) => form.get(name) || undefined
  const grantType = get("grant_type")
  if (!["authorization_code", "refresh_token", "client_credentials"].includes(grantType ?? "")) {
    return refused("unsupported_grant_type")
  }
  if (header !== undefined && get("client_secret") !== undefined) return refused("invalid_request")
  const id = get("client_id")
  const isSame = header === undefined || id === undefined || id === header.id
  const [givenId, secret] =
    header === undefined ? [id, get("client_secret")] : header.scheme === "Basic" ? [header.id, header.secret] : []
  const app = oracle.appOf(givenId, secret)
  if (app === undefined || !isSame) return refused("invalid_client", 401)
  const asked = get("scope")?.split(" ")
  switch (grantType) {
    case "client_credentials":
      return asked?.includes("nonsense") ? refused("invalid_scope") : { _tag: "App", app, scopes: asked }
    case "refresh_token": {
      const text = get("refresh_token")
      if (text === undefined) return refused("invalid_request")
      const grant = oracle.refreshTokens.all.get(text)
      if (grant === undefined || grant.app !== app || grant.isRevoked) return refused("invalid_grant")
      // A token that comes again was stolen, or its thief is here: nobody keeps the grant.
      if (grant.refreshToken !== text) return refused("invalid_grant", 400, grant)
      if (asked?.some((scope) => !grant.scopes.includes(scope))) return refused("invalid_scope")
      return { _tag: "Refresh", grant, scopes: asked ?? grant.scopes }
    }
    default: {
      const text = get("code")
      if (text === undefined) return refused("invalid_request")
      const code = oracle.codes.all.get(text)
      if (code === undefined || code.app !== app) return refused("invalid_grant")
      if (code.grant !== undefined) return refused("invalid_grant", 400, code.grant)
      if (oracle.isExpired(code)) return refused("invalid_grant")
      if (get("redirect_uri") !== code.redirectUri) return refused("invalid_request")
      const isProven = code.verifier === undefined || get("code_verifier") === code.verifier
      return isProven ? { _tag: "Code", code } : refused("invalid_grant")
    }
  }
}
