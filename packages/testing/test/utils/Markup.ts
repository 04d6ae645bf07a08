/** What a page is made of, for tests that hold its text apart from its tags. */
import * as Schema from "effect/Schema"

/** Text that is HTML more often than others, and is never blank. */
export const Hostile = Schema.Union([
  Schema.Literals([
    '"><script>alert(1)</script>',
    "<img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</title><script>alert(1)</script>",
    "</style><svg onload=alert(1)>",
    "&lt;b&gt; &#60;",
    "${alert(1)}",
    "<!--"
  ]),
  Schema.String.check(Schema.isPattern(/^[ -~]*[!-~]$/)),
  Schema.NonEmptyString
])

/** Its tags in their order, with the names of their attributes. */
export const structure = (html: string): ReadonlyArray<string> =>
  (html.match(/<[^>]*>/g) ?? []).map((tag) => tag.replace(/"[^"]*"/g, '""'))

/** All that is no tag, as it is read. */
export const text = (html: string): string =>
  html.replace(/<[^>]*>/g, "").replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 10)))
