/** `node --import`: makes the workspace's packages import each other's compiled, published form. */
import { registerHooks } from "node:module"

const compiled = (name: string, module: string) =>
  new URL(`../packages/${name}/dist/${module}.js`, import.meta.url).href

registerHooks({
  resolve: (specifier, context, next) => {
    const [, name = "", module = "index"] = /^@zapier-workflow-auth\/([\w-]+)(?:\/(.+))?$/.exec(specifier) ?? []
    return name === "" ? next(specifier, context) : { url: compiled(name, module), shortCircuit: true }
  }
})
