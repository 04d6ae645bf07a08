/** Connects a user in a CommonJS module, the default of `npm init -y`. */
const ZapierPromise = require("@zapier-workflow-auth/node-adapter/ZapierPromise")
const FakeZapierPromise = require("@zapier-workflow-auth/testing/FakeZapierPromise")

const app = { name: "Acme", clientId: "abc", clientSecret: "s3cret", redirectUris: ["https://acme.example/callback"] }

const connected = async () => {
  const fake = FakeZapierPromise.make({ apps: [app] })
  const connect = { scopes: ["zap"], subject: () => "ada" }
  const zapier = ZapierPromise.make({ application: app, connect, fetch: fake.fetch, stores: "memory" })
  const consent = await zapier.authorizationUrl({ subject: "ada", scopes: ["zap"] })
  if (!consent.ok) return consent.error.message
  await zapier.handleCallback(await fake.approve(consent.value.url), { subject: "ada" })
  const status = await zapier.handler(new Request("https://acme.example/status"))
  await zapier.close()
  return status?.text()
}

void connected().then((text) => process.stdout.write(text ?? "no route is there"))
