/**
 * The texts of the pages that `ZapierConnect` shows, and how an app gives its own.
 *
 * An app names itself (`app`), words a page in its own way, or translates them all. What it leaves out is English. In a
 * text, `{app}` stands for the name of the app. Texts are texts: markup in them is shown as it is written.
 *
 * @example
 * ```ts
 * import * as ConnectTexts from "@zapier-workflow-auth/node-adapter/ConnectTexts"
 *
 * export const texts = ConnectTexts.byLanguage({
 *   en: { app: "Acme" },
 *   de: {
 *     app: "Acme",
 *     back: "Zurück zu {app}",
 *     pages: { connected: { title: "Zapier ist verbunden", text: "Sie können jetzt zurück zu {app}." } }
 *   }
 * })
 * ```
 *
 * @since 0.1.0
 */

/**
 * What a page says: its heading, and what happened and what to do now.
 *
 * @since 0.1.0
 */
export interface PageTexts {
  readonly title: string
  readonly text: string
}

/**
 * All texts of the pages.
 *
 * @since 0.1.0
 */
export interface Texts {
  /** The language of these texts, as a BCP 47 tag such as `de` or `pt-BR`. */
  readonly lang: string
  /** The name of the app, which takes the place of `{app}`. */
  readonly app: string
  /** The button that begins. */
  readonly connect: string
  /** The button that begins once more. */
  readonly tryAgain: string
  /** The button that leads to where users sign in, if the app says where. */
  readonly signIn: string
  /** The link back to the app. */
  readonly back: string
  /** What a popup says that is still open at the end. */
  readonly closeWindow: string
  /** What each page says. */
  readonly pages: {
    /** Zapier is connected: the last page of a popup. */
    readonly connected: PageTexts
    /** Zapier is connected, and allowed less than the app asked for. */
    readonly partlyConnected: PageTexts
    /** Nothing came of it this time, and an earlier connection goes on. */
    readonly stillConnected: PageTexts
    /** None of the app's own pages sent the user to connect. */
    readonly confirm: PageTexts
    /** Nobody is signed in to the app. */
    readonly signedOut: PageTexts
    /** The user did not allow access. */
    readonly denied: PageTexts
    /** The user came back too late. */
    readonly expired: PageTexts
    /** The page at the end was opened a second time. */
    readonly alreadyUsed: PageTexts
    /** Connecting was begun in another browser, or the page at the end was opened again later. */
    readonly otherBrowser: PageTexts
    /** Connecting was begun by another user of the app. */
    readonly otherUser: PageTexts
    /** What Zapier sent is incomplete, or was lost. */
    readonly interrupted: PageTexts
    /** Zapier does not respond, or asks to wait. */
    readonly unavailable: PageTexts
    /** Zapier has not responded yet, and may still connect. */
    readonly pending: PageTexts
    /** The app, or its database, is away for now. */
    readonly appUnavailable: PageTexts
    /** The app is not set up as it should be. */
    readonly appFault: PageTexts
    /** Zapier could not be disconnected. */
    readonly notDisconnected: PageTexts
    /** The link names a place to return to that is none of the app's. */
    readonly badLink: PageTexts
    /** Another site tried to disconnect. */
    readonly notOwnPage: PageTexts
  }
}

/**
 * The name of a page.
 *
 * @since 0.1.0
 */
export type PageName = keyof Texts["pages"]

/**
 * Some of the texts: those left out are English.
 *
 * @since 0.1.0
 */
export type PartialTexts = { readonly [Name in Exclude<keyof Texts, "pages">]?: string | undefined } & {
  /** What some of the pages say. */
  readonly pages?:
    | { readonly [Name in PageName]?: { readonly [Part in keyof PageTexts]?: string | undefined } | undefined }
    | undefined
}

/**
 * For whom texts are wanted, and for which page.
 *
 * @since 0.1.0
 */
export interface Reader {
  /** The languages of the request, the best one first, as BCP 47 tags (`Accept-Language`, RFC 9110 section 12.5.4). */
  readonly languages: ReadonlyArray<string>
  /** The cookies of the request: an app may keep its users' choice in one. */
  readonly cookies: Readonly<Record<string, string>>
  /** The page that is shown. */
  readonly page: PageName
}

/**
 * What an app gives: the same texts for everybody, or those for one reader.
 *
 * @since 0.1.0
 */
export type Given = PartialTexts | ((reader: Reader) => PartialTexts)

/**
 * The texts of an app that gives none.
 *
 * @since 0.1.0
 */
export const english: Texts = {
  lang: "en",
  app: "the app",
  connect: "Connect Zapier",
  tryAgain: "Try again",
  signIn: "Sign in",
  back: "Back to {app}",
  closeWindow: "You can close this window.",
  pages: {
    connected: { title: "Zapier is connected", text: "You can use Zapier in {app} now." },
    partlyConnected: {
      title: "Zapier is connected, with limits",
      text: "Not everything that {app} asked for was allowed, so some of it may not work."
    },
    stillConnected: {
      title: "Zapier is still connected",
      text: "Your connection from before still works."
    },
    confirm: {
      title: "Connect Zapier?",
      text: "A link from somewhere else has brought you here. Go on only if you want to connect Zapier to {app}."
    },
    signedOut: {
      title: "Please sign in first",
      text: "You are not signed in to {app}. Sign in, and then connect Zapier."
    },
    denied: {
      title: "Zapier is not connected",
      text: "You did not allow access, so nothing has changed. You can connect Zapier whenever you like."
    },
    expired: {
      title: "That took too long",
      text: "For your safety, you have a few minutes to connect Zapier. Nothing has changed. Please try again."
    },
    alreadyUsed: {
      title: "This page works only once",
      text: "Go back to {app} to see whether Zapier is connected. If it is not, please try again."
    },
    otherBrowser: {
      title: "Zapier is not connected",
      text: "This page was used before, or you started in another browser. Please start again here."
    },
    otherUser: {
      title: "Please start again",
      text: "Connecting Zapier was started by a different user of {app}, so nothing has changed."
    },
    interrupted: {
      title: "Zapier is not connected",
      text: "Something went wrong on the way back from Zapier. Please try again."
    },
    unavailable: {
      title: "Zapier is not responding",
      text: "Zapier cannot be reached right now. Please try again in a minute."
    },
    pending: {
      title: "Zapier is taking longer than usual",
      text: "It may be connected in a minute. Go back to {app}, and look there."
    },
    appUnavailable: {
      title: "That did not work",
      text: "We could not do this right now. Please try again in a minute."
    },
    appFault: {
      title: "Something is wrong on our side",
      text: "This is not your fault. Please try again later, or tell the people who run {app}."
    },
    notDisconnected: {
      title: "Zapier is not disconnected",
      text: "We could not do this right now. Please go back and try again in a minute."
    },
    badLink: {
      title: "This link does not work",
      text: "It leads to a page that does not belong to {app}. Nothing has changed."
    },
    notOwnPage: {
      title: "Nothing has changed",
      text: "You can disconnect Zapier on a page of {app}, and from nowhere else."
    }
  }
}

/**
 * Gives each reader the texts in the first of their languages that there are texts in.
 *
 * `de` serves `de-AT`, too. English needs no entry: a reader who prefers it over the others has it.
 *
 * @param translations the texts of each language, by its BCP 47 tag
 *
 * @since 0.1.0
 */
export const byLanguage = (
  translations: Readonly<Record<string, PartialTexts>>
): ((reader: Reader) => PartialTexts) => {
  const all = new Map([["en", {}], ...Object.entries(translations).map(([tag, texts]) => tagged(tag, texts))])
  return ({ languages }) => {
    for (const language of languages) {
      const found = all.get(language.toLowerCase()) ?? all.get(language.toLowerCase().replace(/-.*/, ""))
      if (found !== undefined) return found
    }
    return all.get("en") ?? {}
  }
}

const tagged = (tag: string, texts: PartialTexts): [string, PartialTexts] => [
  tag.toLowerCase(),
  { lang: tag, ...texts }
]
