/** Prints the results of the published packages on this Node. */
import { PostgresClient } from "@zapier-workflow-auth/node-adapter"
import * as ZapierNode from "@zapier-workflow-auth/node-adapter/ZapierNode"
import * as ZapierPromise from "@zapier-workflow-auth/node-adapter/ZapierPromise"
import * as FakeZapierPromise from "@zapier-workflow-auth/testing/FakeZapierPromise"
import * as Layer from "effect/Layer"
import { threeModes } from "./threeModes.js"

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

// With a database, in the folder that XDG_DATA_HOME names.
const embedded = async () => {
  const fake = FakeZapierPromise.make({ apps: [app] })
  const zapier = ZapierPromise.make({ application: app, fetch: fake.fetch })
  const consent = await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })
  if (!consent.ok) return consent.error.message
  const connected = await zapier.handleCallback(await fake.approve(consent.value.url), { subject: "ada" })
  await zapier.close()
  return connected.ok ? connected.value._tag : connected.error.message
}

// Types are checked without the Postgres driver.
const areLayers = [ZapierNode.layer(), PostgresClient.layerConfig()].every(Layer.isLayer)

const found = { statuses: await threeModes(), state: await embedded(), areLayers }

process.stdout.write(JSON.stringify(found))
