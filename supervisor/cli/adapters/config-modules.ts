import { createRequire } from 'node:module'

/** Files of the build that only reading a configuration needs. */
const names = /\/(whole-)?config-[\w-]{8}\.cjs$/

/**
 * Forgets the schema and the parser, so that they do not stay in memory: a run needs them at its start, and again for a reload, which then
 * takes some milliseconds longer. Without a build, nothing is forgotten.
 */
export function forgetConfigModules(): void {
  const { cache } = createRequire(import.meta.filename)
  const forgotten = Object.values(cache).filter(module => module && names.test(module.filename))
  for (const module of Object.values(cache))
    if (module) module.children = module.children.filter(child => !forgotten.includes(child))
  for (const module of forgotten) if (module) delete cache[module.filename]
}
