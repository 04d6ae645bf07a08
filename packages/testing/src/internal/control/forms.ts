/** What the forms of the control page mean: the input of an action, unparsed. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Parse from "../parse.ts"

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

const json = (text: string | undefined): unknown => Option.getOrUndefined(decodeJson(text))

const defined = (fields: { readonly [name: string]: unknown }) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text))

const fromFields: { readonly [action: string]: (form: Parse.Parameters) => unknown } = {
  "register-app": (form) => ({
    name: form.get("name"),
    redirectUris: (form.get("redirectUris") ?? "").split(/\s+/).filter((uri) => uri !== "")
  }),
  "register-user": (form) =>
    defined({ email: form.get("email"), firstName: form.get("firstName"), lastName: form.get("lastName") }),
  "add-fault": (form) => {
    const match = defined({
      endpoint: form.get("endpoint"),
      grantType: form.get("grantType"),
      user: form.get("user")
    })
    return defined({
      fault: json(form.get("fault")),
      match,
      nth: numberOf(form.get("nth")),
      times: form.get("always") === undefined ? numberOf(form.get("times")) : "Always"
    })
  }
}

/** Buttons carry the input of their action as JSON; other forms have fields. */
export const input = (action: string, form: Parse.Parameters): unknown =>
  (Object.hasOwn(fromFields, action) ? fromFields[action] : undefined)?.(form) ?? json(form.get("input"))
