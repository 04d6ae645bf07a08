/** Which part of Zapier a path belongs to. `Unslashed` is a page that has another path, with a slash at its end. */
export type Route = "Authorize" | "Token" | "Unslashed" | "Api"

export const route = (path: string): Route => {
  switch (path) {
    case "/v2/authorize":
    case "/v2/authorize/":
    case "/oauth/authorize/":
      return "Authorize"
    case "/oauth/token/":
      return "Token"
    case "/oauth/token":
    case "/oauth/authorize":
      return "Unslashed"
    default:
      return "Api"
  }
}
