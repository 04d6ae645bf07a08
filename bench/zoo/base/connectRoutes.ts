/** A correct web app with the routes of `ZapierConnect`. */
import * as ZapierConnect from "@zapier-workflow-auth/node-adapter/ZapierConnect"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Browser from "./browser.ts"
import * as Library from "./library.ts"

const signedIn = Layer.succeed(ZapierConnect.SignedIn, {
  subject: (request) => Effect.succeed(Browser.userOf(request))
})

const connect = ZapierConnect.layer({
  redirectUri: `${Browser.origin}/callback`,
  scopes: [...Library.scopes]
}).pipe(Layer.provide(signedIn))

export const app = Browser.appOf(Layer.merge(Browser.route("GET", "/", Browser.homePage), connect))
