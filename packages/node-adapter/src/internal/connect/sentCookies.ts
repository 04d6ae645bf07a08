/**
 * The cookies that a request has, for those of the routes.
 *
 * Effect's `request.cookies` takes off a name what JavaScript calls white space, and byte A0 is that. A host beside the app's
 * can set a cookie whose name is this byte and then a name with `__Host-`: to a browser it has no prefix, so that it is kept
 * and sent. The cookies of the routes have nothing but printable ASCII.
 */
import * as Cookies from "effect/http/Cookies"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

const isPlain = (pair: string) => /^[\t -~]*$/.test(pair)

export const of = ({ headers }: Pick<HttpServerRequest, "headers">): Readonly<Record<string, string | undefined>> =>
  Cookies.parseHeader((headers["cookie"] ?? "").split(";").filter(isPlain).join(";"))
