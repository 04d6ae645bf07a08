/** Scripts that npm runs by itself on the machine of whoever installs a package. */
const atInstall = ["preinstall", "install", "postinstall"]

// From a folder or a repository, these run as well.
const fromSource = ["prepublish", "preprepare", "prepare", "postprepare"]

export const isRunAtInstall = (name: string) => atInstall.includes(name)

export const isRunUnasked = (name: string) => isRunAtInstall(name) || fromSource.includes(name)
