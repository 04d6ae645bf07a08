/** A client over a fake of its own, and a user who has granted all scopes. */
import * as Endpoint from "@zapier-workflow-auth/core/zapier/Endpoint"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as ZapierPromise from "../../src/ZapierPromise.ts"
import { valueOf } from "./valueOf.ts"

export const subject = "ada"

export const app = {
  name: "Acme",
  clientId: "acme",
  clientSecret: "s3cret",
  redirectUris: ["https://acme.example/zapier/callback"]
}

export const untyped = <A>(value: unknown): A => value as A

export const make = (options: Partial<ZapierPromise.Options> = {}) => {
  const fake = FakeZapierPromise.make({ apps: [app], settings: { onlyPartnersDeleteZaps: false } })
  const zapier = ZapierPromise.make({ application: app, fetch: fake.fetch, stores: "memory", ...options })
  const connect = async () => {
    const { url } = valueOf(await zapier.authorizationUrl({ subject, scopes: Endpoint.leastScopes(Endpoint.names) }))
    return valueOf(await zapier.handleCallback(await fake.approve(url), { subject }))
  }
  return { fake, zapier, connect }
}
