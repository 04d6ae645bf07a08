/**
 * Callbacks of one consent in another browser, or for another user: a success connects a victim to a foreign account.
 */
import { createHash } from "node:crypto"
import { attemptCookie, type Browser, from } from "../browser.ts"
import { atEachSite, type Case, first, type Kind, type Seen, when } from "../case.ts"
import type { Site } from "../sites.ts"
import { secretsOf, type Stage } from "../stage.ts"
import * as Wire from "../wire.ts"

const otherSite = { headers: from.otherSite }

const isTaken = async (stage: Stage, browser: Browser, callback: string, visit = otherSite): Promise<Seen> => {
  const { status } = await browser.visit(callback, visit)
  // A connected user may see that.
  const isFine = status >= 400 && status < 500
  const isTold = status === 200 && (await stage.isConnected(browser.site, browser.cookies.get("session") ?? ""))
  return (
    when(stage.exchanges(callback) > 0, "the code is exchanged") ??
    when(!isFine && !isTold, `the response is ${status}`)
  )
}

/** The callback is real and still works where it belongs, so the defense was not by chance. */
const isLost = async (stage: Stage, browser: Browser, callback: string): Promise<Seen> => {
  const { status } = await browser.visit(callback, otherSite)
  return when(status !== 303 || stage.exchanges(callback) !== 1, `its own browser cannot use it any more: ${status}`)
}

/** A prepared link of an attacker, in a browser that `prepare` makes the victim's. */
const prepared = (
  wants: string,
  prepare: (stage: Stage, site: Site, eve: Browser) => Browser | Promise<Browser>
): Case =>
  atEachSite(wants, async (stage, site) => {
    const eve = stage.browser(site, stage.user("eve"))
    const callback = await stage.callback(eve, undefined, "eve")
    const victim = await prepare(stage, site, eve)
    return first(
      () => isTaken(stage, victim, callback),
      () => isLost(stage, eve, callback)
    )
  })

/** A cookie that a sibling host can set in a victim's browser. */
const planted = (
  wants: string,
  cookie: (name: string, value: string) => string,
  isForged: (site: Site) => boolean
): Case =>
  atEachSite(wants, async (stage, site) => {
    if (!isForged(site)) return undefined
    const team = stage.user("team")
    const eve = stage.browser(site, `${team}.eve`)
    const callback = await stage.callback(eve, undefined, "eve")
    // The same team, so that only the cookie distinguishes the browsers.
    const response = await stage.raw(
      site,
      Wire.bytesOf({
        target: callback,
        headers: [
          ["Host", new URL(site.origin).host],
          ["Cookie", `session=${team}.ada; ${cookie(...attemptCookie(eve))}`],
          ...from.otherSite
        ]
      })
    )
    return first(
      () => when(stage.exchanges(callback) > 0, "the code is exchanged"),
      () => when(response.status < 400, `the response is ${response.status}`),
      () => isLost(stage, eve, callback)
    )
  })

const anywhere = () => true

// Over plain http on this machine, no cookie prefix keeps sibling hosts out.
const withPrefixes = (site: Site) => site.origin.startsWith("https:")

const bare = (name: string) => name.replace(/^__Host-/, "")

/** A state that resembles the real one, in the browser of the attempt. */
const altered = (wants: string, alter: (state: string, browser: Browser) => string): Case =>
  atEachSite(wants, async (stage, site) => {
    const ada = stage.browser(site, stage.user("ada"))
    const callback = await stage.callback(ada)
    const { code, state } = secretsOf(callback)
    const { status } = await ada.visit(`/zapier/callback?code=${code}&state=${alter(state, ada)}`, otherSite)
    return first(
      () => when(stage.exchanges(callback) > 0, "the code is exchanged"),
      () => when(status < 400, `the response is ${status}`),
      () => isLost(stage, ada, callback)
    )
  })

export const loginCsrf: Kind = {
  name: "login CSRF",
  cases: [
    prepared("a prepared link in a victim's browser to be accepted", (stage, site) =>
      stage.browser(site, stage.user("ada"))
    ),
    prepared("a prepared link to be accepted while the victim has an attempt under way", async (stage, site) => {
      const ada = stage.browser(site, stage.user("ada"))
      await stage.begin(ada)
      return ada
    }),
    prepared("a prepared link to be accepted from a victim who is connected", async (stage, site) => {
      const ada = stage.browser(site, stage.user("ada"))
      await stage.connect(ada)
      return ada
    }),
    prepared("a prepared link to be accepted where nobody is signed in", (stage, site) => stage.browser(site)),
    prepared("a prepared link to be accepted in another browser of a shared user", (stage, site, eve) =>
      stage.browser(site, `${eve.cookies.get("session")}.ada`)
    ),
    prepared(
      "a prepared link to be accepted where a shared user has an attempt under way",
      async (stage, site, eve) => {
        const ada = stage.browser(site, `${eve.cookies.get("session")}.ada`)
        await stage.begin(ada)
        return ada
      }
    ),
    prepared("the next user of the same browser to complete an attempt", (stage, site, eve) => {
      const next = stage.browser(site, stage.user("ada"))
      next.cookies.set(...attemptCookie(eve))
      return next
    }),
    prepared("a user who signed out meanwhile to be connected", (stage, site, eve) => {
      const nobody = stage.browser(site)
      nobody.cookies.set(...attemptCookie(eve))
      return nobody
    }),
    prepared("the cookie of another attempt, of the victim's own, to be accepted", async (stage, site, eve) => {
      const ada = stage.browser(site, `${eve.cookies.get("session")}.ada`)
      await stage.begin(ada)
      await stage.begin(ada)
      return ada
    }),
    prepared("a stale cookie, of an attempt that is over, to be accepted", async (stage, site, eve) => {
      const ada = stage.browser(site, `${eve.cookies.get("session")}.ada`)
      await stage.begin(ada)
      const [name, value] = attemptCookie(ada)
      const again = stage.browser(site, `${eve.cookies.get("session")}.ada`)
      await stage.connect(again)
      again.cookies.set(name, value)
      return again
    }),
    planted("a cookie without its prefix to be accepted", (name, value) => `${bare(name)}=${value}`, withPrefixes),
    planted(
      "a cookie with a weaker prefix to be accepted",
      (name, value) => `__Secure-${bare(name)}=${value}`,
      withPrefixes
    ),
    planted("a prefix in small letters to be accepted", (name, value) => `__host-${bare(name)}=${value}`, withPrefixes),
    planted(
      "a cookie without a name to be accepted as the one in its value",
      (name, value) => `=${name}=${value}`,
      anywhere
    ),
    planted("a cookie behind a comma to be accepted", (name, value) => `a=b, ${name}=${value}`, anywhere),
    planted("a cookie inside of a quoted value to be accepted", (name, value) => `a="b, ${name}=${value}"`, anywhere),
    planted("a name in quotes to be accepted", (name, value) => `"${name}"=${value}`, anywhere),
    planted(
      "a name behind a no-break space to be accepted as the one without",
      (name, value) => `\u00A0${name}=${value}`,
      withPrefixes
    ),
    planted(
      "a name before a no-break space to be accepted as the one without",
      (name, value) => `${name}\u00A0=${value}`,
      withPrefixes
    ),
    planted("a name behind a vertical tab to be accepted", (name, value) => `\v${name}=${value}`, withPrefixes),
    planted(
      "a name behind white space in UTF-8 to be accepted",
      (name, value) => `\u00E2\u0080\u0080${name}=${value}`,
      withPrefixes
    ),
    planted("a percent-encoded name to be accepted", (name, value) => `${name.replace("z", "%7A")}=${value}`, anywhere),
    planted(
      "a cookie of an old standard to be accepted",
      (name, value) => `$Version=1, ${name}=${value}, $Path=${value}`,
      anywhere
    ),
    planted("a cookie in all capitals to be accepted", (name, value) => `${name.toUpperCase()}=${value}`, anywhere),
    planted("the beginning of a name to be accepted", (name, value) => `${name.slice(0, -1)}=${value}`, anywhere),
    planted("a longer name to be accepted", (name, value) => `${name}x=${value}`, anywhere),
    planted("an attempt's cookie name without an equals sign to be accepted", (name) => name, anywhere),
    planted(
      "a cookie of another name to be accepted",
      (_, value) => `zapier-connect-=${value}; zapier=${value}`,
      anywhere
    ),
    planted("prototypes to be accepted as cookies", (_, value) => `__proto__=${value}; constructor=${value}`, anywhere),
    planted("a cookie without its value to be accepted", (name) => `${name}=`, anywhere),
    planted(
      "a cookie with a value of their own to be accepted",
      (name) => `${name}=/; ${name.replace(/\d$/, "9")}=%2F`,
      anywhere
    ),
    planted(
      "a cookie of an attempt that was never begun to be accepted",
      (name, value) =>
        `${name}=${value.replace(/\.[\w-]{43}/, (key) => `.${key.slice(1).split("").toReversed().join("")}`)}`,
      anywhere
    ),
    planted(
      "a cookie of the beginning of an attempt to be accepted",
      (name, value) => `${name}=${value.slice(0, 40)}`,
      anywhere
    ),
    altered("a state without its last character to be accepted", (state) => state.slice(0, -1)),
    altered("a longer state to be accepted", (state) => `${state}A`),
    altered("a state followed by NUL to be accepted", (state) => `${state}%00`),
    altered("a state followed by a space to be accepted", (state) => `${state}%20`),
    altered("a state followed by a line break to be accepted", (state) => `${state}%0A`),
    altered("a state in other letters to be accepted", (state) => state.toLowerCase().replace(/^./, "%7E")),
    altered("the digest of a state, which its cookie holds, to pass for it", (state) =>
      createHash("sha256").update(state).digest("base64url")
    ),
    altered("a cookie's value to pass for a state", (_, browser) => attemptCookie(browser)[1]),
    altered("the same state in base64 of another kind to be accepted", (state) => `${state}%3D`),
    atEachSite("their code to be accepted under a state of the victim's that has leaked", async (stage, site) => {
      const eve = stage.browser(site, stage.user("eve"))
      const stolen = secretsOf(await stage.callback(eve, undefined, "eve"))
      const user = stage.user("ada")
      const ada = stage.browser(site, user)
      const { state } = secretsOf(await stage.begin(ada))
      // It is exchanged with the victim's verifier, for which Zapier did not issue the code.
      await ada.visit(`/zapier/callback?code=${stolen.code}&state=${state}`, otherSite)
      return when(await stage.isConnected(site, user), "the victim is connected to their account")
    }),
    atEachSite("a victim's code, which has leaked, for themselves", async (stage, site) => {
      const ada = stage.browser(site, stage.user("ada"))
      const { code } = secretsOf(await stage.callback(ada))
      const user = stage.user("eve")
      const eve = stage.browser(site, user)
      const { state } = secretsOf(await stage.begin(eve))
      await eve.visit(`/zapier/callback?code=${code}&state=${state}`, otherSite)
      return when(await stage.isConnected(site, user), "they are connected to the victim's account")
    }),
    atEachSite("a victim's whole callback, which has leaked, for themselves", async (stage, site) => {
      const ada = stage.browser(site, stage.user("ada"))
      const callback = await stage.callback(ada)
      const eve = stage.browser(site, stage.user("eve"))
      // The cookie stayed in its browser; the attacker has a similar one.
      await stage.begin(eve)
      return first(
        () => isTaken(stage, eve, callback),
        () => isLost(stage, ada, callback)
      )
    }),
    {
      wants: "the attempt of another redirect URI to be accepted",
      attempt: async (stage) => {
        const { local, proxied } = stage.world.sites
        const user = stage.user("team")
        const there = stage.browser(proxied, user)
        const callback = await stage.callback(there)
        const here = stage.browser(local, user)
        // Browsers would not send this cookie; attackers can.
        const [name, value] = attemptCookie(there)
        here.cookies.set(bare(name), value)
        return first(
          () => isTaken(stage, here, callback),
          () => isLost(stage, there, callback)
        )
      }
    },
    atEachSite("Zapier to send a code to a redirect URI of theirs", async (stage, site) => {
      const consent = new URL(await stage.begin(stage.browser(site, stage.user("ada"))))
      consent.searchParams.set("redirect_uri", "https://evil.example/zapier/callback")
      const callback = await stage.approve(consent.href).catch(() => undefined)
      return when(callback !== undefined, "it does")
    }),
    atEachSite("a victim's attempt to end by a forged denial", async (stage, site) => {
      const ada = stage.browser(site, stage.user("ada"))
      const callback = await stage.callback(ada)
      await ada.visit("/zapier/callback?error=access_denied&state=guessed", otherSite)
      const { state } = secretsOf(callback)
      await stage.browser(site, stage.user("eve")).visit(`/zapier/callback?error=access_denied&state=${state}`)
      return isLost(stage, ada, callback)
    }),
    atEachSite("a grant to end by a forged denial", async (stage, site) => {
      const user = stage.user("ada")
      const ada = stage.browser(site, user)
      await stage.connect(ada)
      const { state } = secretsOf(await stage.begin(ada))
      await ada.visit(`/zapier/callback?error=access_denied&state=${state}`, otherSite)
      return when(!(await stage.isConnected(site, user)), "the grant is gone")
    }),
    ...[0, 1].map((index): Case => ({
      wants: `a prepared link to be accepted by an app on Express ${index + 4}, which has no cookies of its own`,
      attempt: async (stage) => {
        const door = stage.world.express.doors[index]
        if (door === undefined) throw new Error("the app on Express does not run")
        const eve = stage.browser(door, stage.user("eve"))
        const callback = await stage.callback(eve, "/connect", "eve")
        return first(
          () => isTaken(stage, stage.browser(door, stage.user("ada")), callback),
          () => isTaken(stage, stage.browser(door), callback),
          () => isLost(stage, eve, callback)
        )
      }
    }))
  ]
}
