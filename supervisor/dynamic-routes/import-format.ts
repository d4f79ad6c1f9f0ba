import { messageOf } from '../base/errors.ts'
import { type ReadRoutes, readRouteEntries, readRouteFile } from './file-format.ts'

/**
 * Routes of a text for import: an object in JSON, as the file of the file store, or a line for each route, `shop.example.com 10.0.0.2:5000`. Lines
 * that are empty or begin with `#` are skipped.
 */
export function readImport(text: string): ReadRoutes {
  if (!text.trimStart().startsWith('{')) return readRouteEntries(text.split('\n').flatMap(readLine))
  try {
    const { routes, rejected } = readRouteFile(text)
    return { routes, rejected: [...rejected, ...findRepeated(text).map(host => `${host}: appears twice`)] }
  } catch (error) {
    return { routes: new Map(), rejected: [`the file is not JSON: ${messageOf(error)}`] }
  }
}

function readLine(line: string): [string, string][] {
  const [, host, target = ''] = /^(\S+)\s*(.*)$/.exec(line.trim()) ?? []
  return host === undefined || host.startsWith('#') ? [] : [[host, target]]
}

/** Keys that an object in valid JSON has twice, of which JSON.parse keeps the last. */
function findRepeated(json: string): string[] {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  let depth = 0
  for (const [token, string, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*(:?)|[{}[\]]/g)) {
    if (string === undefined) depth += /[{[]/.test(token) ? 1 : -1
    else if (depth === 1 && colon === ':') {
      const key = String(JSON.parse(string))
      if (seen.has(key)) repeated.add(key)
      seen.add(key)
    }
  }
  return [...repeated]
}
