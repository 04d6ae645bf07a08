import { extname } from "node:path"
import { Worker } from "node:worker_threads"
import * as Effect from "effect/Effect"

/**
 * The variables that a browser, and the program that starts one, need: session, home, language, proxy. The client secret and
 * all others stay here, because a browser passes its environment on to helpers, crash reporters and plugins.
 */
const needed =
  /^(PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_.*|TZ|TERM|TMPDIR|BROWSER|DISPLAY|XAUTHORITY|WAYLAND_.*|DBUS_.*|XDG_.*|DESKTOP_.*|GDMSESSION|SESSION_MANAGER|KDE_.*|GNOME_.*|GIO_.*|GTK_.*|GDK_.*|QT_.*|MOZ_.*|LD_LIBRARY_PATH|NIX_.*|WSL.*|SSH_(CLIENT|CONNECTION|TTY)|(ALL|FTP|HTTPS?|NO)_PROXY|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|PSMODULEPATH|TEMP|TMP|USERPROFILE|USERNAME|HOMEDRIVE|HOMEPATH|APPDATA|LOCALAPPDATA|PROGRAM(DATA|FILES.*|W6432)|__CF_.*)$/i

/** The part of an environment that a browser is started with. */
export const environmentOf = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => needed.test(name)))

// A module of its own, here and in the bundle: `open` takes no environment for the browser, and a thread does.
const thread = new URL(`./browserThread${extname(import.meta.url)}`, import.meta.url)

/** Opens a page in the user's browser. Failures are ignored: the address has been printed. */
export const openBrowser = (url: string): Effect.Effect<void> =>
  Effect.ignore(
    Effect.tryPromise(
      () =>
        new Promise<void>((resolve, reject) => {
          const worker = new Worker(thread, { workerData: url, env: environmentOf(process.env), execArgv: [] })
          worker.once("error", reject)
          worker.once("exit", () => resolve())
        })
    )
  )
