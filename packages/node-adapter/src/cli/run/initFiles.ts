/** The files that `init` writes: which, and what is in them. */
import type { Framework, Store } from "../init.ts"

interface Adapter {
  readonly module: string
  /** The last lines of the file: the routes, and how an app takes them. */
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

// Express's routes are for anything that has its two members.
const node = (isTyped: boolean) => `const routes = ZapierExpress.routes(zapier, userOf)

// createServer((request, response) => zapierRoutes(request, response, () => yourOwn(request, response)))
export const zapierRoutes = (${
  isTyped ? "request: IncomingMessage, response: ServerResponse, next: () => void" : "request, response, next"
}) =>
  routes(Object.assign(request, { originalUrl: request.url${isTyped ? ' ?? "/"' : ""} }), response, next)`

const web = (request: string) => `// Gives undefined for requests that are for none of the routes.
export const zapierRoutes = (${request}) => zapier.handler(request, { subject: userOf })`

const imported = (module: string) => `import * as ${module} from "@zapier-workflow-auth/node-adapter/${module}"`

/** The file of routes of an app. */
export const routesOf = (framework: Framework, isTyped: boolean): string => {
  const adapter = framework === "web" || framework === "node" ? undefined : adapters[framework]
  const module = framework === "node" ? "ZapierExpress" : adapter?.module
  const modules = module === undefined ? ["ZapierPromise"] : [module, "ZapierPromise"]
  const types =
    framework === "node" && isTyped ? `import type { IncomingMessage, ServerResponse } from "node:http"\n` : ""
  const own = framework === "node" ? node(isTyped) : web(isTyped ? "request: Request" : "request")
  // What Next finds in a file of routes are its handlers, and nothing else.
  const isNext = framework === "next"
  const declared = isNext ? "const" : "export const"
  const elsewhere = isNext
    ? "\n// Next takes nothing but handlers from this file: to call from others, move the client into one that exports it."
    : ""
  return `${types}${modules.map(imported).join("\n")}

// The app at Zapier is in the environment: see .env. Calls: await zapier.zaps.list({ subject })${elsewhere}
${declared} zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })

// Who is signed in: take it from your own session. With the real Zapier, nobody is until you do.
const userOf = () => (process.env["ZAPIER_FAKE"] ? "me" : undefined)

${adapter === undefined ? own : adapter.routes}
`
}

/** Where the file of routes is, as a path of its folders. */
export const placeOf = (framework: Framework, isTyped: boolean): ReadonlyArray<string> => {
  if (framework === "next") return ["app", "zapier", "[...route]", isTyped ? "route.ts" : "route.js"]
  return [isTyped ? "zapier.ts" : "zapier.mjs"]
}

/** An app at a fake. */
export interface Registered {
  readonly origin: string
  readonly clientId: string
  readonly clientSecret: string
  readonly redirectUris: ReadonlyArray<string>
}

/** How the same fake is started again: what it draws from its seed is the same each time. */
export const fakeCommand = (redirectUris: ReadonlyArray<string>): string =>
  ["npx zapier-workflow-auth fake", ...redirectUris.map((uri) => `--redirect-uri ${uri}`)].join(" ")

const keys = `# The keys that encrypt tokens: openssl rand -base64 32
# ZAPIER_ENCRYPTION_KEYS=`

const production: { readonly [store in Store]: string } = {
  sqlite: `# A folder for the database and the key that encrypts it. Default: in the user's data directory
# ZAPIER_DATA_DIRECTORY=/var/lib/your-app`,
  postgres: `# With the package @effect/sql-pg
# ZAPIER_DATABASE_URL=postgres://user:password@host/database?sslmode=require
${keys}`,
  redis: `# With the package redis
# ZAPIER_REDIS_URL=rediss://user:password@host
${keys}`
}

/** The variables of the app: of a fake, until it has credentials of its own. */
export const environmentOf = ({ clientId, clientSecret, origin, redirectUris }: Registered, store: Store): string =>
  `# A fake Zapier: ${fakeCommand(redirectUris)}
# For the real one, leave ZAPIER_FAKE out, and set the credentials of your app: https://developer.zapier.com, Embed, Settings.
# Keep this file out of the repository.
ZAPIER_FAKE=${origin}
ZAPIER_CLIENT_ID=${clientId}
ZAPIER_CLIENT_SECRET=${clientSecret}
ZAPIER_REDIRECT_URIS=${redirectUris.join(",")}

# In production. The fake keeps what it gives out in a database of its own.
${production[store]}
`
