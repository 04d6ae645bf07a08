/**
 * Explains in one sentence why a call does not compile, as a type in place of the endpoint's name.
 *
 * The compiler's own message would list the whole table, or name no option at all.
 */
import type * as Headers from "effect/http/Headers"
import type * as HttpBody from "effect/http/HttpBody"
import type * as UrlParams from "effect/http/UrlParams"
import type * as Credential from "../zapier/Credential.ts"
import type * as Endpoint from "../zapier/Endpoint.ts"

type Parameter<N extends string> = N extends Endpoint.Name ? keyof Endpoint.PathParameters<N> & string : never

/** The options that a call may have. Editors complete them; `Checked` explains what is wrong. */
export interface Options<N extends string> {
  readonly urlParams?: UrlParams.Input | undefined
  readonly headers?: Headers.Input | undefined
  readonly body?: HttpBody.HttpBody | undefined
  readonly json?: unknown
  readonly path?: ({ readonly [P in Parameter<N>]?: string } & { readonly [name: string]: string }) | undefined
  readonly credential?: Credential.Credential | undefined
}

type Path<G> = G extends { readonly path: infer P extends object } ? keyof P : never

type Tag<G> = G extends { readonly credential: { readonly _tag: infer T extends string } } ? T : never

type UnknownOption<N extends string, G> = Exclude<keyof G, keyof Options<N>> & string

type Missing<N extends string, G> = Exclude<Parameter<N>, Path<G>>

// The path may be any object of texts, with unknown names.
type Unknown<N extends string, G> = string extends Path<G> ? never : Exclude<Path<G>, Parameter<N>> & string

type OfOptions<N extends Endpoint.Name, G> = [UnknownOption<N, G>] extends [never]
  ? [Unknown<N, G>] extends [never]
    ? [Missing<N, G>] extends [never]
      ? N
      : `${N} needs the path parameter ${Missing<N, G>}`
    : `${N} has no path parameter ${Unknown<N, G>}`
  : `${N} takes no option ${UnknownOption<N, G>}`

type OfCredential<N extends Endpoint.Name, G> = [Endpoint.ModeOf<N>] extends [never]
  ? OfOptions<N, G>
  : [Tag<G>] extends [Credential.For<N>["_tag"]]
    ? "User" extends Endpoint.ModeOf<N>
      ? [Tag<G>] extends [never]
        ? `${N} needs the option credential: Credential.user(subject)`
        : OfOptions<N, G>
      : OfOptions<N, G>
    : `${N} takes no credential of ${Exclude<Tag<G>, Credential.For<N>["_tag"]>}`

// For an option of the wrong type the compiler falls back on the constraint, and explains the error itself.
type IsConstraint<N extends string, O> = [keyof Options<N>, Options<N>] extends [keyof O, O] ? true : false

/**
 * The endpoint's name if these options are valid, or else an explanation. While a name is being typed, editors ask for any
 * text; then it is the names, so that completion works.
 */
export type Checked<N extends string, O> = string extends N ? Endpoint.Name : Named<N, O>

type Named<N extends string, O> = N extends Endpoint.Name
  ? IsConstraint<N, O> extends true
    ? N
    : OfCredential<N, O>
  : `${N} is not in the endpoint table`
