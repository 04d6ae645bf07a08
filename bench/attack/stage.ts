/** The surroundings of a case: browsers, its own users, and all its responses. */
import { Browser, type Visit } from "./browser.ts"
import * as Wire from "./wire.ts"
import type { Door } from "./sites.ts"
import type { World } from "./world.ts"

let users = 0

/** The code and the state in the URL of a callback. */
export const secretsOf = (callback: string) => {
  const { searchParams } = new URL(callback, "https://none.example")
  return { code: searchParams.get("code") ?? "", state: searchParams.get("state") ?? "" }
}

/** True if a response redirects to the consent page, where a state belongs. */
const leadsToZapier = (world: World, location: string) => location.startsWith(`${world.zapier.origin}/v2/authorize?`)

export class Stage {
  readonly world: World
  readonly responses: Array<Wire.Response> = []
  /** Texts that no response may show, and what each is. */
  readonly secrets = new Map<string, string>()

  constructor(world: World) {
    this.world = world
  }

  /** A user that no other case has. */
  user(name: string): string {
    users++
    return `${name}-${users}`
  }

  /** A browser, signed in as a user or signed out. */
  browser(site: Door, session?: string): Browser {
    return new Browser(site, session, (response) => this.#note(response))
  }

  #note(response: Wire.Response) {
    this.responses.push(response)
    if (response.isOverdue) this.world.overdue.push(response)
  }

  #keep(secret: string, what: string) {
    this.secrets.set(secret, what)
    this.world.secrets.set(secret, what)
  }

  /** Sends raw bytes. */
  async raw(site: Door, bytes: string): Promise<Wire.Response> {
    const response = await Wire.sendRaw(site.port, bytes)
    this.#note(response)
    return response
  }

  /** Goes to the consent page by the app's own button, and returns its URL. */
  async begin(browser: Browser, target = "/zapier/connect", visit?: Visit): Promise<string> {
    const response = await browser.visit(target, visit)
    const location = Wire.headerOf(response, "location")
    if (!leadsToZapier(this.world, location)) throw new Error(`no consent begins: ${response.status}`)
    this.#keep(secretsOf(location).state, "a state")
    return location
  }

  /** Allows access at Zapier, and returns the callback's path and query. */
  async approve(consent: string, user = "ada"): Promise<string> {
    const { pathname, search } = new URL(await this.world.zapier.fake.approve(consent, { user: `${user}@example.com` }))
    this.#keep(secretsOf(search).code, "a code")
    return `${pathname}${search}`
  }

  /** Denies access. */
  async deny(consent: string): Promise<string> {
    const { pathname, search } = new URL(await this.world.zapier.fake.deny(consent))
    return `${pathname}${search}`
  }

  /** Begins and allows, and returns the callback. */
  async callback(browser: Browser, target?: string, user?: string): Promise<string> {
    return this.approve(await this.begin(browser, target), user)
  }

  /** Connects a user, which has to work. */
  async connect(browser: Browser, target?: string): Promise<string> {
    const callback = await this.callback(browser, target)
    const { status } = await browser.visit(callback, { headers: [["Sec-Fetch-Site", "cross-site"]] })
    if (status !== 303) throw new Error(`a real login does not work: ${status}`)
    return callback
  }

  async isConnected(site: Door, user: string): Promise<boolean> {
    const path = "redirectUri" in site ? "/zapier/status" : "/status"
    const { body, status } = await this.browser(site, user).visit(path)
    if (status !== 200) throw new Error(`the status of ${user} is not told: ${status}`)
    return JSON.parse(body).connected === true
  }

  /** How many token requests sent the code of a callback. */
  exchanges(callback: string): number {
    return this.world.zapier.attempts(secretsOf(callback).code)
  }

  /** The secret that a response shows, if it shows one. A state on its way to Zapier is allowed. */
  leak(more: ReadonlyMap<string, string>): string | undefined {
    const shown = this.responses.map(({ headers, raw }) => {
      const sent = headers.find(([name, value]) => name === "location" && leadsToZapier(this.world, value))
      // Frameworks repeat the target of a redirect in the body.
      return sent === undefined ? raw : raw.slice(0, raw.indexOf("\r\n\r\n")).replace(sent[1], "")
    })
    const all = shown.join("\n")
    for (const [secret, what] of [...this.secrets, ...more]) {
      if (secret !== "" && all.includes(secret)) return what
    }
    return undefined
  }
}
