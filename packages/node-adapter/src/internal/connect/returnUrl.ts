/**
 * Validates return addresses, because anyone can write a link to the app. An address must be at the app, or at an origin that
 * the app lists.
 */

// Browsers drop white space and control characters, and treat a backslash as a slash.
const isPlain = (text: string) => /^[!-[\]-~]+$/.test(text)

/**
 * Returns the address in an unambiguous spelling, or `undefined` if it is not allowed.
 *
 * @param text a path, or an absolute address
 * @param own the app's own origin
 * @param others further allowed origins
 */
export const parse = (text: string, own: string, others: ReadonlyArray<string>): string | undefined => {
  if (!isPlain(text)) return undefined
  if (text.startsWith("/")) {
    if (!URL.canParse(text, own)) return undefined
    const { hash, origin, pathname, search } = new URL(text, own)
    // Two leading slashes would lead to another host.
    return origin === own && !pathname.startsWith("//") ? `${pathname}${search}${hash}` : undefined
  }
  if (!URL.canParse(text)) return undefined
  const { href, origin, password, protocol, username } = new URL(text)
  // A blob URL has the origin of its page.
  const isPage = /^https?:$/.test(protocol) && username === "" && password === ""
  return isPage && [own, ...others].includes(origin) ? href : undefined
}
