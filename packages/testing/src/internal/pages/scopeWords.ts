/** What a user reads of a scope, on the consent page: Zapier's descriptions in short. */
import type * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"

const words: { readonly [scope in (typeof Scopes.known)[number]]: string } = {
  profile: "See your name and your e-mail address",
  zap: "See the Zaps that it has made for you",
  "zap:write": "Make Zaps for you",
  "zap:update": "Change your Zaps",
  "zap:delete": "Delete your Zaps",
  "zap:pause": "Turn your Zaps off and on",
  "zap:all": "See all of your Zaps",
  "zap:account:all": "See all Zaps of your account, other people's too",
  "zap:runs": "See when your Zaps ran, and how it went",
  "action:run": "Do things in apps that you have connected",
  authentication: "See which apps you have connected",
  "authentication:write": "Connect apps for you",
  "connection:read": "See your connections to apps",
  "connection:write": "Add connections to apps for you",
  "promotions:read": "See which promotions you take part in",
  "promotions:write": "Enroll you in promotions",
  external: "Reach Zapier from outside of it, for you",
  "mcp:run": "Use tools for AI assistants, for you"
}

const isKnown = (scope: Scopes.Scope): scope is keyof typeof words => Object.hasOwn(words, scope)

export const ofScope = (scope: Scopes.Scope): string =>
  isKnown(scope) ? words[scope] : "Something that this fake has no words for"
