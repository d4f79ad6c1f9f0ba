import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import type { NginxFeatures } from '../features.ts'
import { nginxDirectories } from './run-nginx.ts'

/** Features of an nginx that was asked once, with what they depend on. */
interface Known {
  files: string
  features: NginxFeatures
  /** Directory of nginx's modules; undefined if it has none. */
  modules: string | undefined
}

/**
 * Features that an earlier start has recorded in `file`; undefined if nginx, its modules or the system's libraries have changed since, or if
 * there is no record. Asking nginx takes a process and a look through its binary.
 */
export function knownFeatures(file: string): NginxFeatures | undefined {
  try {
    const known = JSON.parse(readFileSync(file, 'utf8')) as Known
    // JSON has left out what is undefined
    return known.files === describeFiles(known.modules) ? known.features : undefined
  } catch {
    return undefined // none was recorded
  }
}

/** Records features for later starts, as far as the file can be written. */
export function rememberFeatures(file: string, features: NginxFeatures, modules: string | undefined): void {
  const known: Known = { files: describeFiles(modules), features, modules }
  try {
    writeFileSync(`${file}.${process.pid}`, JSON.stringify(known))
    renameSync(`${file}.${process.pid}`, file)
  } catch {
    // the next start asks nginx again
  }
}

/** Everything that the features depend on: the first nginx in the path, its modules, and the libraries, whose cache is written when they change. */
function describeFiles(modules: string | undefined): string {
  const paths = [...nginxDirectories.map(directory => `${directory}/nginx`), '/etc/ld.so.cache', modules ?? '/']
  return paths
    .map(path => {
      const found = statSync(path, { throwIfNoEntry: false })
      // what a layer of an image keeps
      return found ? `${path} ${found.size} ${Math.floor(found.mtimeMs / 1000)}` : path
    })
    .join('\n')
}
