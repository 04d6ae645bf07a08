/**
 * The cookies of a request, as the routes need them.
 *
 * Effect's `request.cookies` trims what JavaScript considers white space, which includes byte A0. A sibling host could set a
 * cookie whose name is this byte followed by a `__Host-` name: to a browser it has no prefix, so it is stored and sent. The
 * routes' own cookies are printable ASCII only.
 */
import * as Cookies from "effect/http/Cookies"
import type { HttpServerRequest } from "effect/http/HttpServerRequest"

const isPlain = (pair: string) => /^[\t -~]*$/.test(pair)

export const of = ({ headers }: Pick<HttpServerRequest, "headers">): Readonly<Record<string, string | undefined>> =>
  Cookies.parseHeader((headers["cookie"] ?? "").split(";").filter(isPlain).join(";"))
