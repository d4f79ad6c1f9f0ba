import { readlinkSync } from 'node:fs'

/** An entry of an app leads to a slot's entry, and that to the worker's socket. */
const mostLinks = 3

/** Name of the worker, such as `app.1`, that a socket in nginx's upstream leads to; undefined if it is not a worker's in `runDir`. */
export function workerAtSocket(runDir: string, path: string): string | undefined {
  if (!path.startsWith(`${runDir}/`)) return undefined
  let target = path
  try {
    for (let count = 0; count < mostLinks; count++) target = readlinkSync(target)
  } catch {
    // the worker's own socket, or the link to a slot without one
  }
  const [, app, slot] = /([^/]+)-(\d+)(?:\.\d+)?\.sock$/.exec(target) ?? []
  return app === undefined ? undefined : `${app}.${slot}`
}
