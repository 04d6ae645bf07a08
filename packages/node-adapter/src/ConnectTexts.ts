/**
 * The texts of the `ZapierConnect` pages, and how an app replaces them.
 *
 * An app can set its name (`app`), reword single pages, or translate all texts. Texts that it omits are in English. In a
 * text, `{app}` stands for the app's name. Markup in texts is escaped.
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
 * The texts of a page: its heading, and what happened and what to do.
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
  /** The app's name, which replaces `{app}`. */
  readonly app: string
  /** The button that starts connecting. */
  readonly connect: string
  /** The button that starts connecting an app, for White Label users. */
  readonly connectApp: string
  /** The button that starts connecting again. */
  readonly tryAgain: string
  /** The button that leads to the app's sign-in page, if the app has set one. */
  readonly signIn: string
  /** The link back to the app. */
  readonly back: string
  /** The text of a popup that is still open at the end. */
  readonly closeWindow: string
  /** The texts of each page. */
  readonly pages: {
    /** Zapier is connected: the last page of a popup. */
    readonly connected: PageTexts
    /** Zapier is connected, but with fewer permissions than the app requested. */
    readonly partlyConnected: PageTexts
    /** Connecting failed this time, but an earlier connection still works. */
    readonly stillConnected: PageTexts
    /** The user came to connect from a page that is not the app's own. */
    readonly confirm: PageTexts
    /** The user is not signed in to the app. */
    readonly signedOut: PageTexts
    /** The user denied access. */
    readonly denied: PageTexts
    /** The user came back too late. */
    readonly expired: PageTexts
    /** The callback's page was opened a second time. */
    readonly alreadyUsed: PageTexts
    /** The user began in another browser, or opened the callback's page again later. */
    readonly otherBrowser: PageTexts
    /** Another user of the app began to connect. */
    readonly otherUser: PageTexts
    /** Zapier's redirect is incomplete, or its response was lost. */
    readonly interrupted: PageTexts
    /** Zapier does not respond, or asks for a pause. */
    readonly unavailable: PageTexts
    /** Zapier has not responded yet, and may still connect. */
    readonly pending: PageTexts
    /** The app or its database is temporarily unavailable. */
    readonly appUnavailable: PageTexts
    /** The app is misconfigured. */
    readonly appFault: PageTexts
    /** Disconnecting Zapier failed. */
    readonly notDisconnected: PageTexts
    /** The link's return address does not belong to the app. */
    readonly badLink: PageTexts
    /** Another site tried to disconnect. */
    readonly notOwnPage: PageTexts
    /** A White Label user connected an app: the last page of a popup. */
    readonly appConnected: PageTexts
    /** A White Label user denied access, or the app refused. */
    readonly appNotConnected: PageTexts
    /** A White Label user's way back is incomplete, was already used, or began in another browser or as another user. */
    readonly appInterrupted: PageTexts
    /** A White Label user came to connect from a page that is not the app's own. */
    readonly confirmApp: PageTexts
  }
}

/**
 * The name of a page.
 *
 * @since 0.1.0
 */
export type PageName = keyof Texts["pages"]

/**
 * Some of the texts. Omitted ones are in English.
 *
 * @since 0.1.0
 */
export type PartialTexts = { readonly [Name in Exclude<keyof Texts, "pages">]?: string | undefined } & {
  /** The texts of some pages. */
  readonly pages?:
    | { readonly [Name in PageName]?: { readonly [Part in keyof PageTexts]?: string | undefined } | undefined }
    | undefined
}

/**
 * The reader and the page for which texts are needed.
 *
 * @since 0.1.0
 */
export interface Reader {
  /** The languages of the request, best first, as BCP 47 tags (`Accept-Language`, RFC 9110 section 12.5.4). */
  readonly languages: ReadonlyArray<string>
  /** The cookies of the request, one of which may hold the user's language. */
  readonly cookies: Readonly<Record<string, string>>
  /** The page. */
  readonly page: PageName
}

/**
 * An app's texts: the same for all readers, or a function of the reader.
 *
 * @since 0.1.0
 */
export type Given = PartialTexts | ((reader: Reader) => PartialTexts)

/**
 * The default texts.
 *
 * @since 0.1.0
 */
export const english: Texts = {
  lang: "en",
  app: "the app",
  connect: "Connect Zapier",
  connectApp: "Connect the app",
  tryAgain: "Try again",
  signIn: "Sign in",
  back: "Back to {app}",
  closeWindow: "You can close this window.",
  pages: {
    connected: { title: "Zapier is connected", text: "You can use Zapier in {app} now." },
    partlyConnected: {
      title: "Zapier is connected, with limits",
      text: "Some of the permissions that {app} requested were not granted, so parts of it may not work."
    },
    stillConnected: {
      title: "Zapier is still connected",
      text: "Your earlier connection still works."
    },
    confirm: {
      title: "Connect Zapier?",
      text: "You came here from another website. Continue only if you want to connect Zapier to {app}."
    },
    signedOut: {
      title: "Please sign in first",
      text: "You are not signed in to {app}. Sign in first, then connect Zapier."
    },
    denied: {
      title: "Zapier is not connected",
      text: "You did not allow access, so nothing has changed. You can connect Zapier whenever you like."
    },
    expired: {
      title: "That took too long",
      text: "For your security, connecting must be finished within a few minutes. Nothing has changed. Please try again."
    },
    alreadyUsed: {
      title: "This page works only once",
      text: "Go back to {app} to check if Zapier is connected. If not, please try again."
    },
    otherBrowser: {
      title: "Zapier is not connected",
      text: "This page was already used, or you started in another browser. Please start again here."
    },
    otherUser: {
      title: "Please start again",
      text: "A different user of {app} started to connect Zapier. Nothing has changed."
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
      text: "It may be connected in a minute. Go back to {app} and check there."
    },
    appUnavailable: {
      title: "That did not work",
      text: "Something went wrong on our side. Please try again in a minute."
    },
    appFault: {
      title: "Something is wrong on our side",
      text: "This is not your fault. Please try again later, or contact the support of {app}."
    },
    notDisconnected: {
      title: "Zapier is not disconnected",
      text: "Something went wrong on our side. Please go back and try again in a minute."
    },
    badLink: {
      title: "This link does not work",
      text: "It leads to a page that does not belong to {app}. Nothing has changed."
    },
    notOwnPage: {
      title: "Nothing has changed",
      text: "Zapier can be disconnected only on a page of {app}."
    },
    appConnected: { title: "Connected", text: "You can use your connection in {app} now." },
    appNotConnected: {
      title: "Not connected",
      text: "You did not allow access, or it was refused. Nothing has changed. You can try again whenever you like."
    },
    appInterrupted: {
      title: "Please start again",
      text: "This page was already used, or you started in another browser or as another user. Please start again here."
    },
    confirmApp: {
      title: "Connect an app?",
      text: "You came here from another website. Continue only if you want to connect an account of yours to {app}."
    }
  }
}

/**
 * Chooses the texts in the reader's first language for which there are texts.
 *
 * `de` also serves `de-AT`. English needs no entry.
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
