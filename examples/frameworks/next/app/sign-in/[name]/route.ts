import { cookieOf } from "../../../../home.ts"

export const GET = async (_: Request, { params }: { readonly params: Promise<{ readonly name: string }> }) =>
  new Response(null, { status: 303, headers: { location: "/", "set-cookie": cookieOf((await params).name) } })
