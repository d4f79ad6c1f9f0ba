import { messageOf } from '../base/errors.ts'
import { type ReadRoutes, readRouteEntries, readRouteFile } from './file-format.ts'

/**
 * Routes of a text for import: an object in JSON, as the file of the file store, or a line for each route, `shop.example.com 10.0.0.2:5000`. Lines
 * that are empty or begin with `#` are skipped.
 */
export function readImport(text: string): ReadRoutes {
  if (!text.trimStart().startsWith('{')) return readRouteEntries(text.split('\n').flatMap(readLine))
  try {
    return readRouteFile(text)
  } catch (error) {
    return { routes: new Map(), rejected: [`the file is not JSON: ${messageOf(error)}`] }
  }
}

function readLine(line: string): [string, string][] {
  const [, host, target = ''] = /^(\S+)\s*(.*)$/.exec(line.trim()) ?? []
  return host === undefined || host.startsWith('#') ? [] : [[host, target]]
}
