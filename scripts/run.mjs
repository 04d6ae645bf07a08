/**
 * `node scripts/run.mjs [--production] COMMAND ARGUMENTS…`: installs the workspace, and then runs a command in it. With
 * `--production` it installs only what the three packages need to run, unless everything is installed already.
 *
 * It shows one line during the install, and the install's whole output if it fails. It ends with the exit code of the install
 * that failed, or of the command.
 *
 * It runs on the Node of the machine, before anything is installed: plain JavaScript, no dependencies.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { constants } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))

const everything = ["--yes", "pnpm@12.21.0", "install", "--frozen-lockfile"]

// The only optional dependency is `node`, for machines whose own Node is older than the packages support. Once it is installed,
// npm runs this script on it.
const [major, minor] = process.versions.node.split(".").map(Number)
const isRecent = major > 22 || (major === 22 && minor >= 19)
const withoutNode = isRecent && !existsSync(join(root, "node_modules/.bin/node")) ? ["--no-optional"] : []

// Without trust in the lockfile, pnpm would download more to check release dates than the packages have.
const production = [...everything, "--prod", "--filter", "zapier-workflow-auth...", "--trust-lockfile", ...withoutNode]

// npm's commands, and those of packages, are scripts on Windows.
const shell = process.platform === "win32"

const stamp = join(root, "node_modules/.cache/installed")

const wanted = (pnpm) => {
  const hash = createHash("sha256").update(pnpm.join(" "))
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) hash.update(readFileSync(join(root, file)))
  return hash.digest("hex")
}

const read = (file) => {
  try {
    return readFileSync(file, "utf8")
  } catch {
    return ""
  }
}

// pnpm notes it. An install of production dependencies would remove the others.
const hasEverything = () => /devDependencies"?:\s*true/.test(read(join(root, "node_modules/.modules.yaml")))

/** Shows how long it has taken so far; a file or a pipe gets one line. */
const showProgress = () => {
  const begin = Date.now()
  const words = "Installing what the workspace needs"
  if (!process.stderr.isTTY) {
    process.stderr.write(`${words} …\n`)
    return () => {}
  }
  const show = () => process.stderr.write(`\r${words} … ${Math.round((Date.now() - begin) / 1000)} s`)
  show()
  const timer = setInterval(show, 1000)
  return () => {
    clearInterval(timer)
    process.stderr.write("\r\u001b[K")
  }
}

/** The exit code of a child; a signal counts as shells count it. */
const ended = (child) =>
  new Promise((resolve, reject) => {
    const passOn = (signal) => {
      // A terminal has interrupted the child, too.
      if (signal === "SIGTERM" || !process.stdin.isTTY) child.kill(signal)
    }
    for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, passOn)
    child.once("error", reject)
    child.once("close", (code, signal) => {
      for (const signal of ["SIGINT", "SIGTERM"]) process.off(signal, passOn)
      resolve(code ?? 128 + constants.signals[signal])
    })
  })

const unreachable = /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH/

const install = async (pnpm) => {
  const hide = showProgress()
  // npm would wait for over a minute before it says that the network is away.
  const env = { npm_config_fetch_retry_mintimeout: "1000", ...process.env }
  const child = spawn("npx", pnpm, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"], shell })
  const said = []
  child.stdout.on("data", (chunk) => said.push(chunk))
  child.stderr.on("data", (chunk) => said.push(chunk))
  const code = await ended(child).finally(hide)
  if (code === 0) {
    mkdirSync(join(stamp, ".."), { recursive: true })
    writeFileSync(stamp, wanted(pnpm))
    return code
  }
  const text = Buffer.concat(said).toString()
  process.stderr.write(`${text.trimEnd()}\n\nThe install failed (exit code ${code}). What it said is above.\n`)
  process.stderr.write(
    unreachable.test(text)
      ? "The package registry could not be reached. Check the network and the proxy, or name another registry in\n" +
          "npm_config_registry. Then run the same command again.\n"
      : `To see it alone, run: npx ${pnpm.join(" ")}\n`
  )
  return code
}

const run = (command, args) => {
  // The workspace's own Node comes first.
  const path = [join(root, "node_modules/.bin"), process.env.PATH].join(delimiter)
  return ended(spawn(command, args, { stdio: "inherit", env: { ...process.env, PATH: path }, shell }))
}

const isProduction = process.argv[2] === "--production"
const pnpm = isProduction && !hasEverything() ? production : everything
const code = read(stamp) === wanted(pnpm) ? 0 : await install(pnpm)
const [command, ...args] = process.argv.slice(isProduction ? 3 : 2)
process.exitCode = code === 0 && command !== undefined ? await run(command, args) : code
