/**
 * Where to go when all is done, as somebody has asked for it: anybody can write a link to the app. It stays at the app, or
 * goes to an origin that the app names.
 */

// White space and control characters are dropped by browsers, and a backslash is a slash to them.
const isPlain = (text: string) => /^[!-[\]-~]+$/.test(text)

/**
 * The same address, spelled so that it cannot be read in two ways; `undefined` if it is not allowed.
 *
 * @param text a path, or a whole address
 * @param own the app's own origin
 * @param others more that it may lead to
 */
export const parse = (text: string, own: string, others: ReadonlyArray<string>): string | undefined => {
  if (!isPlain(text)) return undefined
  if (text.startsWith("/")) {
    if (!URL.canParse(text, own)) return undefined
    const { hash, origin, pathname, search } = new URL(text, own)
    // Two slashes at the start would be an address of another host.
    return origin === own && !pathname.startsWith("//") ? `${pathname}${search}${hash}` : undefined
  }
  if (!URL.canParse(text)) return undefined
  const { href, origin, password, protocol, username } = new URL(text)
  // A blob has the origin of the page that it is of.
  const isPage = /^https?:$/.test(protocol) && username === "" && password === ""
  return isPage && [own, ...others].includes(origin) ? href : undefined
}
