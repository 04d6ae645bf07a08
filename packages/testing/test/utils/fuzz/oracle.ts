/**
 * What the rules of OAuth and of Zapier allow, as a model that shares no code with the fake: which codes were given, for
 * what and when, which refresh token of a grant is the living one, which secret is good.
 */

export interface App {
  readonly id: string
  readonly redirectUris: ReadonlyArray<string>
  secret: string
  readonly oldSecrets: Array<string>
}

export interface Grant {
  readonly app: App
  readonly user: string
  readonly scopes: ReadonlyArray<string>
  isRevoked: boolean
  refreshToken: string
  accessToken: string
}

export interface Code {
  readonly text: string
  readonly app: App
  readonly user: string
  readonly redirectUri: string
  readonly scopes: ReadonlyArray<string>
  readonly givenAt: number
  readonly verifier: string | undefined
  grant: Grant | undefined
}

export interface Access {
  readonly text: string
  readonly app: App
  readonly scopes: ReadonlyArray<string>
  readonly givenAt: number
  readonly grant: Grant | undefined
}

const codeLifetime = 120_000
const accessLifetime = 36_000_000

// Of what is over, this much is remembered, to be tried again.
const memory = 64

class Pool<A> {
  readonly all = new Map<string, A>()
  recent: Array<string> = []

  add(text: string, value: A) {
    this.all.set(text, value)
    this.recent.push(text)
    if (this.recent.length > memory) this.recent.shift()
  }
}

export class Oracle {
  now = 0
  readonly apps: ReadonlyArray<App>
  readonly codes = new Pool<Code>()
  readonly accessTokens = new Pool<Access>()
  /** Each refresh token's grant, those that were used up as well. */
  readonly refreshTokens = new Pool<Grant>()
  readonly everGiven = new Set<string>()

  constructor(apps: ReadonlyArray<App>) {
    this.apps = apps
  }

  appOf(id: string | undefined, secret: string | undefined): App | undefined {
    return this.apps.find((app) => app.id === id && app.secret === secret)
  }

  isExpired(code: Code): boolean {
    return this.now >= code.givenAt + codeLifetime
  }

  isLiving(access: Access): boolean {
    const isCurrent =
      access.grant === undefined || (!access.grant.isRevoked && access.grant.accessToken === access.text)
    return isCurrent && this.now < access.givenAt + accessLifetime
  }

  /** Notes a text that an answer gave, which nobody may have been given before. */
  given(text: string): void {
    if (!/^[A-Za-z0-9]{30}$/.test(text)) throw new Error(`${text} is no token`)
    if (this.everGiven.has(text)) throw new Error(`${text} is given for the second time`)
    this.everGiven.add(text)
  }

  giveCode(code: Omit<Code, "givenAt" | "grant">): void {
    this.given(code.text)
    this.codes.add(code.text, { ...code, givenAt: this.now, grant: undefined })
  }

  /** Tokens for a code, or for a refresh token. */
  give(grant: Grant, scopes: ReadonlyArray<string>, accessToken: string, refreshToken: string): void {
    this.given(accessToken)
    this.given(refreshToken)
    grant.accessToken = accessToken
    grant.refreshToken = refreshToken
    this.accessTokens.add(accessToken, { text: accessToken, app: grant.app, scopes, givenAt: this.now, grant })
    this.refreshTokens.add(refreshToken, grant)
  }

  giveForCode(code: Code, accessToken: string, refreshToken: string): void {
    const { app, scopes, user } = code
    const grant = { app, user, scopes, isRevoked: false, refreshToken, accessToken }
    code.grant = grant
    this.give(grant, scopes, accessToken, refreshToken)
  }

  giveToApp(app: App, scopes: ReadonlyArray<string>, accessToken: string): void {
    this.given(accessToken)
    this.accessTokens.add(accessToken, { text: accessToken, app, scopes, givenAt: this.now, grant: undefined })
  }

  revoke(app: App, user: string): void {
    for (const grant of this.refreshTokens.all.values()) {
      if (grant.app === app && grant.user === user) grant.isRevoked = true
    }
    this.forget()
  }

  regenerate(app: App, secret: string): void {
    app.oldSecrets.push(app.secret)
    app.secret = secret
  }

  /** Forgets what is over and has not been given lately. What is forgotten is never tried again. */
  forget(): void {
    const keep = <A>(pool: Pool<A>, isLiving: (value: A, text: string) => boolean) => {
      const recent = new Set(pool.recent)
      for (const [text, value] of pool.all) {
        if (!recent.has(text) && !isLiving(value, text)) pool.all.delete(text)
      }
    }
    keep(this.codes, (code) => code.grant === undefined && !this.isExpired(code))
    keep(this.accessTokens, (access) => this.isLiving(access))
    keep(this.refreshTokens, (grant, text) => !grant.isRevoked && grant.refreshToken === text)
  }
}
