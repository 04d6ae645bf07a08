/** Requirements for every response of the routes. */
import { createHash } from "node:crypto"
import { type Seen, when } from "./case.ts"
import * as Wire from "./wire.ts"

const requiredPolicies = ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"]

/** The missing protection of a response against caches, referrers, frames and sniffing. */
export const lacks = (response: Wire.Response): Seen => {
  const of = (name: string) => Wire.headerOf(response, name)
  const type = of("content-type")
  const policies = of("content-security-policy")
  const isPage = response.body !== "" && !type.startsWith("application/json")
  return (
    when(!of("cache-control").includes("no-store"), "caches may store it") ??
    when(of("referrer-policy") !== "no-referrer", "it sends its address to other sites") ??
    when(of("x-content-type-options") !== "nosniff", "browsers may guess its type") ??
    when(response.body !== "" && type === "", "it has no content type") ??
    when(isPage && !/charset=utf-8/i.test(type), "it has no charset") ??
    when(
      isPage && !requiredPolicies.every((policy) => policies.includes(policy)),
      "scripts, frames or foreign bases are possible"
    ) ??
    when(/unsafe-inline|unsafe-eval|\*/.test(policies), "its policy allows any code")
  )
}

// A script whose digest is in the policy is constant, so nothing was injected into it.
const ownScripts = ({ body }: Wire.Response, policies: string): string =>
  body.replaceAll(/<script>(.*?)<\/script>/gs, (script, source: string) => {
    const digest = createHash("sha256").update(source, "latin1").digest("base64")
    return policies.includes(`'sha256-${digest}'`) ? "" : script
  })

/** Injected content that a page loads or runs. */
export const runs = (response: Wire.Response): Seen => {
  const of = (name: string) => Wire.headerOf(response, name)
  if (!of("content-type").startsWith("text/html")) return undefined
  const body = ownScripts(response, of("content-security-policy"))
  return (
    when(/<(?:script|iframe|object|embed|base|img|svg|form|link|math)\b/i.test(body), "it has foreign markup") ??
    when(/\son\w+\s*=/i.test(body.replaceAll(/>[^<]*</g, "><")), "it has an event handler") ??
    when(/(?:href|src|action)\s*=\s*["']?\s*(?:javascript|data|vbscript):/i.test(body), "it has a link that runs") ??
    when(/http-equiv\s*=\s*["']?refresh/i.test(body), "it leads elsewhere by itself")
  )
}
