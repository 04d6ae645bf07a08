/** All kinds of attacks. */
import type { Kind } from "./case.ts"
import { callbackInput } from "./kinds/callbackInput.ts"
import { crossSite } from "./kinds/crossSite.ts"
import { floods } from "./kinds/floods.ts"
import { hosts } from "./kinds/hosts.ts"
import { injection } from "./kinds/injection.ts"
import { loginCsrf } from "./kinds/loginCsrf.ts"
import { lyingZapier } from "./kinds/lyingZapier.ts"
import { openRedirect } from "./kinds/openRedirect.ts"
import { popup } from "./kinds/popup.ts"
import { replay } from "./kinds/replay.ts"
import { secrets } from "./kinds/secrets.ts"

export const kinds: ReadonlyArray<Kind> = [
  callbackInput,
  loginCsrf,
  replay,
  openRedirect,
  crossSite,
  injection,
  hosts,
  popup,
  floods,
  secrets,
  lyingZapier
]
