/** Control operations as one table, for the control API and for the forms of the control page. */
import * as Scopes from "@zapier-workflow-auth/core/oauth/Scopes"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import * as FakeControl from "../../FakeControl.ts"
import * as FakeFault from "../../FakeFault.ts"
import * as FakeState from "../../FakeState.ts"
import * as FakeWhiteLabel from "../../FakeWhiteLabel.ts"
import type { FakeZapier, Snapshot } from "../../../FakeZapier.ts"
import * as Given from "../given.ts"
import * as Parse from "../parse.ts"

export interface Context {
  readonly zapier: FakeZapier["Service"]
  readonly snapshots: Map<string, Snapshot>
}

type Controlled = Effect.Effect<unknown, FakeControl.FakeControlError>

export type Action = (input: unknown, context: Context) => Controlled

const problem = (problem: string) => new FakeControl.FakeControlError({ problem })

const action = <S extends Schema.ConstraintDecoder<unknown>>(
  input: S,
  act: (input: S["Type"], context: Context) => Controlled
): Action => {
  const parse = Given.parse(input, "This")
  return (input, context) =>
    Effect.flatMap(Effect.mapError(Effect.fromResult(parse(input)), problem), (parsed) => act(parsed, context))
}

// A struct without fields would accept anything.
const nothing = Schema.Record(Schema.String, Schema.Never)

const decision = { url: Schema.String, user: Schema.optionalKey(Schema.String) }

const named = Schema.Struct({ name: Schema.optionalKey(Schema.String) })

/** The name of a snapshot without a name. */
export const unnamed = "latest"

const located = (location: string) => ({ location })

/**
 * The actions by their names in paths, which are those of the service's operations. An action returns JSON, or nothing.
 */
export const actions: ReadonlyMap<string, Action> = new Map(
  Object.entries({
    "register-app": action(FakeControl.AppOptions, (app, { zapier }) => zapier.registerApp(app)),
    "register-user": action(FakeControl.UserOptions, (user, { zapier }) => zapier.registerUser(user)),
    "regenerate-secret": action(Schema.Struct({ clientId: Schema.String }), ({ clientId }, { zapier }) =>
      zapier.regenerateSecret(clientId)
    ),
    "set-white-label": action(
      Schema.Struct({ clientId: Schema.String, options: FakeWhiteLabel.Options }),
      ({ clientId, options }, { zapier }) => zapier.setWhiteLabel(clientId, options)
    ),
    connect: action(
      Schema.Struct({ url: Schema.String, ...FakeControl.ConnectOptions.fields }),
      ({ url, ...options }, { zapier }) => zapier.connect(url, options)
    ),
    "expire-authentication": action(Schema.Struct({ id: Schema.String }), ({ id }, { zapier }) =>
      zapier.expireAuthentication(id)
    ),
    approve: action(
      Schema.Struct({ ...decision, scopes: Schema.optionalKey(Schema.Array(Scopes.Scope)) }),
      ({ url, ...options }, { zapier }) => Effect.map(zapier.approve(url, options), located)
    ),
    deny: action(Schema.Struct(decision), ({ url, ...options }, { zapier }) =>
      Effect.map(zapier.deny(url, options), located)
    ),
    revoke: action(FakeControl.Revocation, (of, { zapier }) => zapier.revoke(of)),
    "end-access-token": action(Schema.Struct({ accessToken: Schema.String }), ({ accessToken }, { zapier }) =>
      zapier.endAccessToken(accessToken)
    ),
    "change-settings": action(FakeState.Settings.mapFields(Struct.map(Schema.optionalKey)), (settings, { zapier }) =>
      zapier.changeSettings(settings)
    ),
    "set-faults": action(Schema.Struct({ rules: Schema.Array(FakeFault.Rule) }), ({ rules }, { zapier }) =>
      zapier.setFaults(rules)
    ),
    "add-fault": action(FakeFault.Rule, (rule, { zapier }) => zapier.addFault(rule)),
    advance: action(Schema.Struct({ by: Schema.Union([Schema.Finite, Schema.String]) }), ({ by }, { zapier }) =>
      // The operation itself checks whether a text is a duration.
      zapier.advance(by as Duration.Input)
    ),
    "set-time": action(Schema.Struct({ at: Schema.Finite }), ({ at }, { zapier }) => zapier.setTime(at)),
    snapshot: action(named, ({ name = unnamed }, { snapshots, zapier }) =>
      Effect.map(zapier.snapshot, (snapshot) => {
        snapshots.set(name, snapshot)
      })
    ),
    restore: action(named, ({ name = unnamed }, { snapshots, zapier }) => {
      const snapshot = snapshots.get(name)
      return snapshot === undefined
        ? Effect.fail(problem("No snapshot has this name. Take one first."))
        : zapier.restore(snapshot)
    }),
    reset: action(nothing, (_, { zapier }) => zapier.reset)
  })
)

const defined = Record.filter(Predicate.isNotUndefined)

const numberOf = (text: string | undefined) => (text === undefined ? undefined : Number(text))

const fromFields: { readonly [action: string]: (form: Parse.Parameters) => unknown } = {
  "register-app": (form) => {
    const issuer = form.get("issuer")
    return defined({
      name: form.get("name"),
      redirectUris: (form.get("redirectUris") ?? "").split(/\s+/).filter((uri) => uri !== ""),
      whiteLabel: issuer === undefined ? undefined : defined({ issuer, jwksUrl: form.get("jwksUrl") })
    })
  },
  "register-user": (form) =>
    defined({ email: form.get("email"), firstName: form.get("firstName"), lastName: form.get("lastName") }),
  "add-fault": (form) => {
    const match = defined({
      endpoint: form.get("endpoint"),
      grantType: form.get("grantType"),
      user: form.get("user")
    })
    return defined({
      // Text that is not JSON is rejected as an invalid fault.
      fault: Parse.jsonText(form.get("fault") ?? "") ?? form.get("fault"),
      match,
      nth: numberOf(form.get("nth")),
      times: form.get("always") === undefined ? numberOf(form.get("times")) : "Always"
    })
  }
}

/** The input in a form: buttons carry the input of their action as JSON, other forms have fields. */
export const fromForm = (action: string, form: Parse.Parameters): unknown =>
  (Object.hasOwn(fromFields, action) ? fromFields[action] : undefined)?.(form) ??
  Parse.jsonText(form.get("input") ?? "")
