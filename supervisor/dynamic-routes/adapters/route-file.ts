import { readFileSync } from 'node:fs'
import { writePrivately } from '../../base/adapters/private-file.ts'
import { errnoOf } from '../../base/errors.ts'
import type { RouteFileAccess } from '../store.ts'

/** File that stores the dynamic routes. */
export function openRouteFile(path: string): RouteFileAccess {
  return {
    path,
    read() {
      try {
        return readFileSync(path, 'utf8')
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined
        throw error
      }
    },
    write: text => writePrivately(path, text),
  }
}
