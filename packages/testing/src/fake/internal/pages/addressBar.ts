/** Zapier's address, as a browser would show it, on the pages that users of an app see. The fake's own address differs. */
import * as Html from "../../../internal/pages/html.ts"

const { html } = Html

const bar = (address: string) =>
  html`<header class="bar">
    <span class="address"><span class="hidden">Address: </span>${address}</span>
    <span>Zapier's page, played by a fake</span>
  </header>`

/** Of the consent page. */
export const consent = bar("https://api.zapier.com/v2/authorize")

/** Of the Connect page. */
export const connect = bar("https://connect.zapier.com")
