/** The files that `init` writes. */
import type { Framework, Store } from "../init.ts"

interface Adapter {
  readonly module: string
  /** The last lines of the file: the routes, and how an app uses them. */
  readonly routes: string
}

const adapters: { readonly [framework in Exclude<Framework, "node" | "web">]: Adapter } = {
  express: {
    module: "ZapierExpress",
    routes: `// app.use(zapierRoutes)
export const zapierRoutes = ZapierExpress.routes(zapier, userOf)`
  },
  fastify: {
    module: "ZapierFastify",
    routes: `// app.register(zapierRoutes, { prefix: "/zapier" })
export const zapierRoutes = ZapierFastify.routes(zapier, userOf)`
  },
  hono: {
    module: "ZapierHono",
    routes: `// app.use(zapierRoutes)
export const zapierRoutes = ZapierHono.routes(zapier, userOf)`
  },
  next: {
    module: "ZapierNext",
    routes: `export const { GET, POST } = ZapierNext.routes(zapier, userOf)`
  }
}

// The routes of Express need only its two members.
const node = (isTyped: boolean) => `const routes = ZapierExpress.routes(zapier, userOf)

// createServer((request, response) => zapierRoutes(request, response, () => yourOwn(request, response)))
export const zapierRoutes = (${
  isTyped ? "request: IncomingMessage, response: ServerResponse, next: () => void" : "request, response, next"
}) =>
  routes(Object.assign(request, { originalUrl: request.url${isTyped ? ' ?? "/"' : ""} }), response, next)`

const web = (request: string) => `// Resolves to undefined for a request that is for no route.
export const zapierRoutes = (${request}) => zapier.handler(request, { subject: userOf })`

const imported = (module: string) => `import * as ${module} from "@zapier-workflow-auth/node-adapter/${module}"`

/** The text of the file of routes. */
export const routesOf = (framework: Framework, isTyped: boolean): string => {
  const adapter = framework === "web" || framework === "node" ? undefined : adapters[framework]
  const module = framework === "node" ? "ZapierExpress" : adapter?.module
  const modules = module === undefined ? ["ZapierPromise"] : [module, "ZapierPromise"]
  const types =
    framework === "node" && isTyped ? `import type { IncomingMessage, ServerResponse } from "node:http"\n` : ""
  const own = framework === "node" ? node(isTyped) : web(isTyped ? "request: Request" : "request")
  // Next allows only handlers in a file of routes.
  const isNext = framework === "next"
  const declared = isNext ? "const" : "export const"
  const elsewhere = isNext
    ? "\n// Next allows only handlers in this file: to call the API from others, move the client into a file that exports it."
    : ""
  return `${types}${modules.map(imported).join("\n")}

// .env has the credentials. Call the API with: await zapier.zaps.list({ subject })${elsewhere}
${declared} zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })

// The signed-in user: take it from your own session. With the real Zapier, nobody is signed in until you do.
const userOf = () => (process.env["ZAPIER_FAKE"] ? "me" : undefined)

${adapter === undefined ? own : adapter.routes}
`
}

/** The path of the file of routes. */
export const placeOf = (framework: Framework, isTyped: boolean): ReadonlyArray<string> => {
  if (framework === "next") return ["app", "zapier", "[...route]", isTyped ? "route.ts" : "route.js"]
  return [isTyped ? "zapier.ts" : "zapier.mjs"]
}

/** An app that is registered at a fake. */
export interface Registered {
  readonly origin: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUris: ReadonlyArray<string>
}

/** The command that starts the same fake again: the same seed gives the same credentials. */
export const fakeCommand = (redirectUris: ReadonlyArray<string>): string =>
  ["npx zapier-workflow-auth fake", ...redirectUris.map((uri) => `--redirect-uri ${uri}`)].join(" ")

const keys = `# The keys that encrypt tokens: openssl rand -base64 32
# ZAPIER_ENCRYPTION_KEYS=`

const production: { readonly [store in Store]: string } = {
  sqlite: `# The folder of the database and its key. Default: in the user's data directory
# ZAPIER_DATA_DIRECTORY=/var/lib/your-app`,
  postgres: `# With the package @effect/sql-pg
# ZAPIER_DATABASE_URL=postgres://user:password@host/database?sslmode=require
${keys}`,
  redis: `# With the package redis
# ZAPIER_REDIS_URL=rediss://user:password@host
${keys}`
}

/** The text of .env, with the credentials of the fake. */
export const environmentOf = ({ clientId, clientSecret, origin, redirectUris }: Registered, store: Store): string =>
  `# A fake Zapier: ${fakeCommand(redirectUris)}
# For the real Zapier, remove ZAPIER_FAKE, and set the credentials of your app: https://developer.zapier.com (Embed, Settings).
# Keep this file out of the repository.
ZAPIER_FAKE=${origin}
ZAPIER_CLIENT_ID=${clientId}
ZAPIER_CLIENT_SECRET=${clientSecret}
ZAPIER_REDIRECT_URIS=${redirectUris.join(",")}

# In production. Connections of the fake are in a database of their own.
${production[store]}
`
