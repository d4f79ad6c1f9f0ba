import { lstatSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Fields of package.json with the names of packages. */
const dependencyFields = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies']

/**
 * Directories of the packages of a workspace that an app uses, and of those that they use: links in node_modules to directories
 * outside the app and outside any node_modules.
 */
export function linkedPackages(directory: string): string[] {
  const found = new Set<string>()
  const visit = (from: string) => {
    for (const name of dependenciesOf(from)) {
      const target = linkOf(name, from)
      if (target === undefined || found.has(target) || isInside(target, directory)) continue
      found.add(target)
      visit(target)
    }
  }
  visit(directory)
  return [...found]
}

function dependenciesOf(directory: string): string[] {
  try {
    const content: unknown = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
    return dependencyFields.flatMap(field => Object.keys(Object(Object(content)[field])))
  } catch {
    return [] // no package, or one that is being edited
  }
}

/** Directory that the link of a package leads to; undefined if the package is not a link, or one of a package manager. */
function linkOf(name: string, from: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const path = join(directory, 'node_modules', name)
    if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) {
      const target = resolved(path)
      return target === undefined || target.includes('/node_modules/') ? undefined : target
    }
    if (lstatSync(path, { throwIfNoEntry: false }) || directory === dirname(directory)) return undefined
  }
}

function resolved(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined // a link to nothing
  }
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`)
}
