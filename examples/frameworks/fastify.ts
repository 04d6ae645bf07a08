/** A Fastify 5 app. */
import * as ZapierFastify from "@zapier-workflow-auth/node-adapter/ZapierFastify"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import fastify, { type FastifyRequest } from "fastify"
import { cookieOf, home, userIn } from "./home.ts"

const zapier = ZapierPromise.make({ connect: { scopes: ["zap"] } })

const userOf = (request: FastifyRequest) => userIn(request.headers.cookie)

const app = fastify()
app.register(ZapierFastify.routes(zapier, userOf), { prefix: "/zapier" })
app.addHook("onClose", () => zapier.close())

app.get("/", (request) => home(zapier, userOf(request)))

app.get<{ Params: { name: string } }>("/sign-in/:name", (request, reply) =>
  reply.header("set-cookie", cookieOf(request.params.name)).redirect("/", 303)
)

await app.listen({ port: Number(process.argv[2] ?? 3_000) })
process.once("SIGTERM", () => void app.close())
