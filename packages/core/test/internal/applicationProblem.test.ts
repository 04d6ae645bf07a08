import { describe, expect, it } from "@effect/vitest"
import * as ApplicationProblem from "../../src/internal/applicationProblem.ts"

const placeholder = "it looks like a placeholder"

describe("ApplicationProblem: a placeholder instead of a value", () => {
  it.each([
    ["<>", "<client id>", "<redacted>"],
    ["$ZAPIER", "$ZAPIER_ID", "$MY_ZAPIER_ID", "$client", "$CLIENT_ID", "$SECRET", "$MY_SECRET_2"],
    ["${}", "${ZAPIER_CLIENT_ID}", "process.env.", "process.env.ID", "{{}}", "{{ id }}"],
    ["[object ]", "[object Object]", "undefined", "null", "NaN"],
    ["xxx", "XXXXXX", "todo", "TODO", "changeme", "change-me", "change_me", "Change me"],
    ["your-id", "your_secret", "YOUR CLIENT ID", "your-client-secret"]
  ])("%j, and others like it", (...texts) => {
    for (const text of texts) {
      expect([text, ApplicationProblem.clientId(text)]).toEqual([text, placeholder])
      expect([text, ApplicationProblem.clientSecret(text)]).toEqual([text, placeholder])
    }
  })

  it.each([
    ["a<id>", "<id>a", "<id", "id>"],
    ["a$CLIENT", "$CLIENT-1", "$HOME", "CLIENT", "$my-client"],
    ["a${ID}", "${ID}a", "$ID}", "a.process.env.ID", "process-env-ID", "processes"],
    ["a{{id}}", "{{id}}a", "{{id}", "a[object Object]", "[object Object]a"],
    ["undefined1", "nullable", "nano", "anan", "xx", "xxxy", "axxx", "todos", "atodo"],
    ["changeme2", "exchangeme", "changeXme", "your-key", "your-id-1", "yours-id", "myyour-id", "yourid"]
  ])("is not %j, or others like it", (...texts) => {
    for (const text of texts) expect([text, ApplicationProblem.clientSecret(text)]).toEqual([text, undefined])
  })
})
