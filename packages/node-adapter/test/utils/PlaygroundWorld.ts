/** A playground, beside a fake with a control page, each at a port of its own. */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as FakeControlServer from "@zapier-workflow-auth/testing/fake/FakeControlServer"
import * as FakeZapier from "@zapier-workflow-auth/testing/FakeZapier"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Redacted from "effect/Redacted"
import * as Playground from "../../src/cli/playground/serve.ts"

export const serving = Effect.gen(function* () {
  const playground = yield* Playground.listen(0)
  const fake = FakeZapier.make({ apps: [Playground.app(playground)] })
  const services = yield* Layer.build(
    FakeControlServer.layer({
      links: [{ name: "Playground", url: `${playground.origin}/` }],
      onAction: (words) => PubSub.publish(playground.controlled, words)
    }).pipe(
      Layer.provide([Layer.succeed(FakeZapier.FakeZapier, fake), SecureRandom.layerWebCrypto]),
      Layer.provideMerge(NodeHttpServer.layer(() => createServer(), { host: "127.0.0.1", port: 0 }))
    )
  )
  const fakeOrigin = HttpServer.formatAddress(Context.get(services, HttpServer.HttpServer).address)
  const { url } = Context.get(services, FakeControlServer.FakeControlServer)
  yield* Playground.serve(playground, { fake, fakeOrigin, control: url, slowMotion: Duration.millis(100) })
  return { fake, fakeOrigin, control: Redacted.value(url), origin: playground.origin }
})
