/** Scripts that npm runs on the machine of a package's user. */
const atInstall = ["preinstall", "install", "postinstall"]

// These also run for an install from a folder or a repository.
const fromSource = ["prepublish", "preprepare", "prepare", "postprepare"]

export const isRunAtInstall = (name: string) => atInstall.includes(name)

export const isRunUnasked = (name: string) => isRunAtInstall(name) || fromSource.includes(name)
