/** Options of spans that the library begins by itself. */

/** Effect captures the stack of each span by an `Error`; here it would only show the library's own lines. */
export const withoutStack = { captureStackTrace: false } as const
