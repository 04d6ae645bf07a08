import * as FakeHttp from "@zapier-workflow-auth/testing/fake/FakeHttp"
import * as RequestLog from "@zapier-workflow-auth/testing/fake/RequestLog"
import * as HttpClientRequest from "effect/http/HttpClientRequest"

/** Describes a request and the status of its response (0 without a response) in one line, with secrets masked. */
export const lineOf = (request: HttpClientRequest.HttpClientRequest, status: number) => {
  const url = HttpClientRequest.toUrl(request)
  const body = request.body._tag === "Uint8Array" ? request.body.body : new Uint8Array()
  const href = url._tag === "None" ? request.url : url.value.href
  return RequestLog.line(FakeHttp.request(request.method, href, { headers: request.headers, body }), status)
}
